"""What kronlin sets itself to reach: each bar is a number taken from measured rows, and a bound for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Value = Callable[[list[Row]], float | None]

OWN = "kronlin"
NO_PEERS = ("limit", "NumPy", "kronlin", "numpy + scipy")
"""How the names begin of those who take part and are no library beside kronlin."""


def of(rows: Iterable[Row], who: str) -> Row | None:
    """The row of a contestant, if it took part."""
    return next((row for row in rows if row["who"] == who and row["ms"] is not None), None)


def best_peer(rows: Iterable[Row]) -> Row | None:
    """The row of the fastest of the other libraries, if one took part."""
    peers = [row for row in rows if row["ms"] is not None and not str(row["who"]).startswith(NO_PEERS)]
    return min(peers, key=lambda row: row["ms"], default=None)


def by_limit(rows: list[Row]) -> float | None:
    """kronlin's time by the machine's limit."""
    own = of(rows, OWN)
    return own and own["by limit"]


def times_faster_than(who: str) -> Value:
    """A contestant's time by kronlin's."""

    def value(rows: list[Row]) -> float | None:
        other = of(rows, who)
        return other and other["by kronlin"]

    return value


def share_of(who: str) -> Value:
    """kronlin's time by that of a contestant."""

    def value(rows: list[Row]) -> float | None:
        other = of(rows, who)
        return other and 1 / other["by kronlin"]

    return value


def share_of_best(rows: list[Row]) -> float | None:
    """kronlin's time by that of the fastest other library."""
    best = best_peer(rows)
    return best and 1 / best["by kronlin"]


def fact(name: str) -> Value:
    """A number that kronlin's row holds under a name of its own."""

    def value(rows: list[Row]) -> float | None:
        own = of(rows, OWN)
        return own and own[name]

    return value


@dataclass(frozen=True)
class Bar:
    """A bound for a number: the largest that will do, or with `at_least` the smallest.

    `where` are the facts of the rows that it is about; `why` says why it is missed, where it is.
    """

    work: str
    unit: str
    question: str
    value: Value
    bound: float
    where: dict[str, object] = field(default_factory=dict)
    at_least: bool = False
    why: str = ""

    def rows(self, table: Iterable[Row]) -> list[Row]:
        """Those rows of the question's table that it is about."""
        return [row for row in table if self.where.items() <= row.items()]

    def measured(self, table: Iterable[Row]) -> float | None:
        """The number, if it was measured."""
        return self.value(self.rows(table))

    def met(self, value: float) -> bool:
        """Whether the number keeps the bound."""
        return value >= self.bound if self.at_least else value <= self.bound


def case(net: str, dtype: str = "float32", vectors: int = 1, **more: object) -> dict[str, object]:
    """The facts of a contest."""
    return {"net": net, "dtype": dtype, "vectors": vectors, **more}


LIMIT = "× limit"
FASTER = "× faster than"
BARS = [
    Bar("Apply, net a, 1 vector", LIMIT, "apply", by_limit, 1.4, case("a")),
    Bar("Apply, net a, 16 vectors", LIMIT, "apply", by_limit, 1.5, case("a", vectors=16)),
    Bar("Apply, net b", f"{FASTER} CoLA", "apply", times_faster_than("CoLA"), 10, case("b"), True),
    Bar("Apply, net b", f"{FASTER} curvlinops", "apply", times_faster_than("curvlinops"), 25, case("b"), True),
]
