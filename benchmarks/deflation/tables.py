"""Error curves as rows of numbers, and as the tables of the documentation."""

from collections.abc import Iterator

import numpy as np

Curves = dict[str, dict[str, np.ndarray]]
"""Errors at the start and after each step, by condition and method."""

Row = dict[str, object]

REACHED, SEVERE = 1e-8, (1e-10, 1e-12, 1e-14)


def steps(curve: np.ndarray, tolerance: float = REACHED) -> int | None:
    """The first step after which the error is at most the tolerance."""
    hits = np.flatnonzero(curve <= tolerance)
    return int(hits[0]) if len(hits) else None


def cell(curve: np.ndarray, tolerance: float = REACHED) -> str:
    """Steps to the tolerance, or the smallest error in parentheses if that is never reached."""
    count = steps(curve, tolerance)
    return f"({np.nanmin(curve):.0e})" if count is None else str(count)


def rows(problem: str, found: Curves) -> list[Row]:
    """One row a method: steps to 1e-8 under every condition; in exact arithmetic also further, and where it ends."""
    result = []
    for name, curve in found["exact"].items():
        row: Row = {"problem": problem, "method": name}
        row |= {condition: cell(found[condition][name]) for condition in found}
        row |= {f"to {tolerance:g}": cell(curve, tolerance) for tolerance in SEVERE}
        row |= {"smallest error": f"{np.nanmin(curve):.0e}", "last error": f"{curve[-1]:.0e}"}  # nan: it broke down
        result.append(row)
    return result


def page(numbers: list[Row], told: list[Row]) -> str:
    """The tables in reStructuredText: exact arithmetic, bad company, and what is expected."""
    bad = [key for key in numbers[0] if key[0] in "ψγ"]
    good = [key for key in numbers[0] if key not in ("problem", *bad)]
    lines = [".. Written by benchmarks/two_level_theory.py; do not edit.", ""]
    for problem in dict.fromkeys(row["problem"] for row in numbers):
        own = [row for row in numbers if row["problem"] == problem]
        for title, keys in {"exact arithmetic": good, "bad company": ["method", *bad]}.items():
            lines += table(f"{problem}, {title}", [{key: row[key] for key in keys} for row in own])
    return "\n".join([*lines, *table("What is expected", told)])


def table(title: str, records: list[Row]) -> Iterator[str]:
    """A list-table."""
    yield from (f".. list-table:: {title}", "   :header-rows: 1", "")
    for record in [dict(zip(records[0], records[0], strict=True)), *records]:
        for place, word in enumerate(record.values()):
            yield f"   {'* -' if place == 0 else '  -'} {word}"
    yield ""
