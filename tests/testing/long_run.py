"""Hold many random nested operators against their dense twins, for as long as you like.

    python -m tests.testing.long_run --examples 20000 --seed 1 --jobs 2

Examples are run in chunks; chunk i of seed s is the same wherever it runs, so that `--first i` takes up a run that was
stopped, and a counter-example is found again. The laws are those of `check_operator` for products, matrix, adjoint,
norm, trace, diagonal, determinant, promises, solutions and spectrum.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from itertools import count, islice
from multiprocessing import get_context
from typing import NamedTuple

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kronlin.arrays import library_named
from kronlin.testing._case import Case
from kronlin.testing._derived import essentials
from kronlin.testing._inverses import solution
from kronlin.testing._moves import everything
from kronlin.testing._spectra import spectra
from kronlin.testing.strategies import Twin, kinds, operators

CHUNK = 250
SHARES = {"numpy": 100, "array_api_strict": 50, "array_api_strict:device1": 40, "torch": 58, "jax": 2}
"""Of 250 examples; JAX, which compiles for every shape, has few."""


class Chunk(NamedTuple):
    """The part of a run that a process does at once."""

    number: int
    seed: int
    examples: int
    depth: int


class Outcome(NamedTuple):
    """How many examples were held against their twins, on what and of what, and what was found."""

    chunk: Chunk
    libraries: Counter
    types: Counter
    found: str | None


def check(twin: Twin) -> None:
    """The laws that can be checked quickly, with rounding relative to the norms met on the way."""
    case = Case(twin.op, twin.dense, size=twin.size)
    essentials(case)
    if case.inverse is not None:
        solution(case, case.op.shape[0], 2)
    if case.op.is_self_adjoint:
        spectra(case)


def run(chunk: Chunk) -> Outcome:
    """Check the examples of a chunk; a failure is shrunk and ends it."""
    outcome, failed = Outcome(chunk, Counter(), Counter(), None), False
    names = [name for name, share in SHARES.items() for _ in range(share) if find_spec(name.partition(":")[0])]
    if "jax" in names:
        library_named("jax").enable("float64")

    @hypothesis.seed(chunk.seed * 10**6 + chunk.number)
    @settings(
        max_examples=chunk.examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(names).flatmap(lambda name: operators(kind=kinds(name), depth=chunk.depth)))
    def hold(twin: Twin) -> None:
        nonlocal failed
        try:
            with np.errstate(all="ignore"):
                check(twin)
        except Exception:
            failed = True
            raise
        if failed:  # what follows only makes the counter-example smaller
            return
        outcome.libraries[str(twin.kind).replace(twin.kind.dtype_name, "").replace("  ", " ").strip()] += 1
        outcome.types.update({type(part).__name__ for part in everything(twin.op)})

    try:
        hold()
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        return outcome._replace(found=f"{type(error).__name__}: {error}\n{notes}")
    return outcome


def chunks(examples: int, seed: int, depth: int, first: int = 0) -> Iterator[Chunk]:
    """Cut a run into chunks, of which those before `first` are left out."""
    for number in count(first):
        left = examples - number * CHUNK
        if left <= 0:
            return
        yield Chunk(number, seed, min(CHUNK, left), depth)


def table(counts: Counter) -> str:
    """One line each, the most frequent first."""
    return "\n".join(f"  {amount:8} {name}" for name, amount in counts.most_common())


def main(arguments: list[str] | None = None) -> int:
    """Run, and print what was checked; 1 if there is a counter-example."""
    parser = argparse.ArgumentParser(prog="python -m tests.testing.long_run", description=__doc__.split("\n")[0])
    parser.add_argument("--examples", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="chunk to begin with")
    chosen = parser.parse_args(arguments)
    start, libraries, types, found = time.perf_counter(), Counter(), Counter(), []
    work = chunks(chosen.examples, chosen.seed, chosen.depth, chosen.first)
    for outcome in _outcomes(work, chosen.jobs):
        libraries += outcome.libraries
        types += outcome.types
        print(
            f"chunk {outcome.chunk.number}: {libraries.total()} examples, {time.perf_counter() - start:.0f} s",
            flush=True,
        )
        if outcome.found:
            found.append(outcome.found)
            print(outcome.found, flush=True)
    print(f"\n{libraries.total()} examples of depth ≤ {chosen.depth}, seed {chosen.seed}\n{table(libraries)}")
    print(f"with these operators in them:\n{table(types)}\n{len(found)} counter-examples")
    return int(bool(found))


def _outcomes(work: Iterator[Chunk], jobs: int) -> Iterator[Outcome]:
    """Run the chunks in order, `jobs` at a time, each time in fresh processes so that no memory piles up."""
    if jobs == 1:
        yield from map(run, work)
        return
    while batch := list(islice(work, 4 * jobs)):
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            yield from pool.map(run, batch)


if __name__ == "__main__":
    raise SystemExit(main())
