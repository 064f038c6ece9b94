"""What every benchmark shares: interleaved timing, the facts of the machine, and one JSON file a question."""

import json
import os
import platform
import time
from collections.abc import Callable
from datetime import date
from importlib import metadata
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"
STANDS_ON = ("kronlin", "numpy", "scipy", "array-api-compat")
BESIDE = (
    "cola-ml",
    "cupy-cuda12x",
    "curvlinops-for-pytorch",
    "jax",
    "linear_operator",
    "lineax",
    "nngeometry",
    "pykronecker",
    "pylops",
    "threadpoolctl",
    "torch",
)


def interleaved(
    functions: dict[str, Callable[[], object]],
    rounds: int = 15,
    budget: float = 0.02,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median seconds a call of each function, measured in turn, so that all see the same machine."""
    return {name: median(values) for name, values in sampled(functions, rounds, budget, clock).items()}


def ratio(samples: dict[str, list[float]], above: str, *below: str) -> float:
    """Return the median over the rounds of one time by the sum of others: what a busy machine distorts least."""
    columns = zip(samples[above], *(samples[name] for name in below), strict=True)
    return median(first / sum(rest) for first, *rest in columns)


def sampled(
    functions: dict[str, Callable[[], object]],
    rounds: int = 15,
    budget: float = 0.02,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return the seconds a call of each function took in each round.

    One measurement repeats a call until it fills `budget` seconds; a first round warms up and is not counted. On a
    machine that others use too, `time.process_time` is the better clock for what runs in one thread.
    """
    repeats = {}
    for name, function in functions.items():
        start = clock()
        function()
        repeats[name] = max(1, int(budget / max(clock() - start, 1e-7)))
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for counted in [False] + [True] * rounds:
        for name, function in functions.items():
            start = clock()
            for _ in range(repeats[name]):
                function()
            if counted:
                samples[name].append((clock() - start) / repeats[name])
    return samples


def rows_by(samples: dict[str, list[float]], plain: str) -> list[dict[str, object]]:
    """Return a row for each sampled function: the median of its times, and the ratio to one of them in each round."""
    return [
        {"what": name, "ms": 1e3 * median(times), "ratio": ratio(samples, name, plain)}
        for name, times in samples.items()
    ]


def machine() -> dict[str, str]:
    """The facts that a number is worth nothing without."""
    facts = {"date": date.today().isoformat(), "python": platform.python_version(), "processors": str(os.cpu_count())}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        facts["processor"] = names[0] if names else platform.processor()
    for package in (*STANDS_ON, *BESIDE):
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            if package in STANDS_ON:
                facts[package] = "from the tree"
    facts["load"] = f"{os.getloadavg()[2]:.1f}"  # of all programs, over the last 15 minutes
    facts["threads"] = os.environ.get("OPENBLAS_NUM_THREADS", "default")
    return facts


def report(question: str, rows: list[dict[str, object]]) -> None:
    """Print rows as a table, and keep them with the machine's facts in results/<question>.json."""
    keys = list(rows[0])
    cells = [keys] + [
        [f"{row[key]:.3g}" if isinstance(row[key], float) else str(row[key]) for key in keys] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)))
    RESULTS.mkdir(exist_ok=True)
    record = {"question": question, "machine": machine(), "rows": rows}
    (RESULTS / f"{question}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
