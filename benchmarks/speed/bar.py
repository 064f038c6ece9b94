"""A bar for the speed of kronlin: a number taken from measured rows, and a bound for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Value = Callable[[list[Row]], float | None]

OWN = "kronlin"
PEERS = (
    "CoLA",
    "curvlinops",
    "JAX",
    "linear_operator",
    "lineax",
    "nngeometry",
    "pykronecker",
    "PyLops",
    "scipy",
    "SciPy",
)
"""How the names of the other libraries begin."""


def of(rows: Iterable[Row], who: str) -> Row | None:
    """The row of a contestant, if it took part; a remark may follow its name in parentheses."""
    return next((row for row in rows if str(row["who"]).partition(" (")[0] == who and row["ms"] is not None), None)


def best_peer(rows: Iterable[Row]) -> Row | None:
    """The row of the fastest of the other libraries, if one took part; who only estimates does not count."""
    present = [row for row in rows if row["ms"] is not None and str(row["who"]).startswith(PEERS)]
    peers = [row for row in present if "(stochastic" not in str(row["who"])]
    return min(peers, key=lambda row: row["ms"], default=None)


def by_limit_of(who: str) -> Value:
    """A contestant's time by the machine's limit."""

    def value(rows: list[Row]) -> float | None:
        own = of(rows, who)
        return own and own["by limit"]

    return value


by_limit = by_limit_of(OWN)


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


def residual_by(who: str) -> Value:
    """kronlin's residual by that of a contestant."""

    def value(rows: list[Row]) -> float | None:
        own, other = of(rows, OWN), of(rows, who)
        return own and other and own["residual"] / other["residual"]

    return value


def sixteen_by_one(rows: list[Row]) -> float | None:
    """kronlin's time for 16 vectors by that for one."""
    times = {row["vectors"]: row["ms"] for row in rows if row["who"] == OWN}
    return times[16] / times[1] if {1, 16} <= times.keys() else None


def largest(name: str) -> Value:
    """The largest entry of this name."""
    return lambda rows: max((row[name] for row in rows if row[name] is not None), default=None)


def worst_share_of_best(rows: list[Row]) -> float | None:
    """kronlin's time by that of the fastest other library, in the contest in which it is largest."""
    contests: dict[tuple[tuple[str, object], ...], list[Row]] = {}
    for row in rows:
        facts = ((key, value) for key, value in row.items() if key != "who" and isinstance(value, str | int))
        contests.setdefault(tuple(facts), []).append(row)
    shares = [share_of_best(contest) for contest in contests.values() if of(contest, OWN)]
    return max((share for share in shares if share is not None), default=None)


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
