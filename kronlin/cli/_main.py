"""The command line: `kronlin compare` and `kronlin info`."""

import argparse
import sys
from collections.abc import Sequence

from kronlin.cli import _info, _report, experiment


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: the input was refused, with a message)."""
    options = _parser().parse_args(arguments)
    try:
        return _compare(options) if options.command == "compare" else _show_info()
    except (ValueError, ImportError, OSError) as error:
        print(f"kronlin {options.command}: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kronlin", description="Kronecker-factored curvature and two-level preconditioners."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser(
        "compare",
        help="compare preconditioners with the exact Fisher matrix of a digits classifier",
        description="Train a small classifier on handwritten digits, or read the layers of any network from a file, "
        "and compare K-FAC and two-level preconditioners of its exact, damped Fisher matrix.",
    )
    add = compare.add_argument
    add("--file", metavar="FILE", help="layers, gradient and loss (.npz or .safetensors) instead of the digits")
    add("--layers", dest="hidden", type=int, nargs="+", metavar="WIDTH", help="widths of the hidden layers (32 32)")
    add("--examples", type=int, metavar="N", help="images in the Fisher matrix (256)")
    add("--damping", type=float, nargs="+", default=[1e-1, 1e-2, 1e-3], metavar="LAMBDA", help="values of λ")
    add("--seed", type=int, help="of the weights and the choice of images (0)")
    add("--dtype", choices=("float64", "float32"), help="of the digits classifier (float64)")
    add("--backend", default="numpy", help="array library: numpy, cupy, torch, jax (numpy)")
    add("--plot", metavar="FILE", help="draw convergence curves and spectra, for example out.png")
    add("--html", metavar="FILE", help="write one self-contained page with the tables and pictures")
    add("--csv", metavar="FILE", help="write the numbers as comma-separated values")
    add("--json", metavar="FILE", help="write the numbers as JSON")
    add("--quiet", action="store_true", help="show no progress bar")
    commands.add_parser("info", help="print versions, BLAS, array libraries and GPUs")
    return parser


def _show_info() -> int:
    print("\n".join(_info.info_lines()))
    return 0


def _problem(options: argparse.Namespace) -> experiment.Problem:
    """The network of a file or the digits classifier, whose options have no meaning beside a file."""
    names = ("hidden", "examples", "seed", "dtype")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.file is None:
        return experiment.digits(**given, backend=options.backend)
    if given:
        wrong = ", ".join("--layers" if name == "hidden" else f"--{name}" for name in given)
        raise ValueError(f"{wrong}: of the digits classifier; leave it out beside --file")
    return experiment.recorded(options.file, options.backend)


def _compare(options: argparse.Namespace) -> int:
    problem = _problem(options)
    introduction = experiment.introduction(problem)
    print("\n".join(introduction))
    results, verdicts = [], []
    for lam, comparison in experiment.run(problem, options.damping, progress=not options.quiet):
        results.append((lam, comparison))
        verdicts.append(experiment.verdict(lam, comparison))
        print(f"\n{comparison}\n\n{verdicts[-1]}")
    if options.csv:
        _report.write_text(options.csv, _report.joined_table(results).to_csv())
    if options.json:
        _report.write_text(options.json, _report.joined_table(results).to_json())
    if options.plot:
        _report.draw(results).savefig(options.plot, dpi=110)
    if options.html:
        _report.write_text(options.html, _report.page(results, introduction, verdicts))
    return 0
