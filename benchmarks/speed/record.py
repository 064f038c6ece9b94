"""The kept results of a question, of which a run may measure a part anew."""

import json

from harness import RESULTS, report

from speed.workloads import KINDS, NETS

CASE = ("net", "dtype", "vectors", "work")


def record(question: str, table: list[dict[str, object]]) -> None:
    """Print and keep rows; rows of other nets, dtypes, numbers of vectors and kinds of work stay from earlier runs.

    A ratio holds within its own contest, so contests of several runs on one machine may stand side by side. The facts
    of the machine are those of the last run.
    """
    path = RESULTS / f"{question}.json"
    earlier = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    measured = {case(row) for row in table}
    report(question, sorted([row for row in earlier if case(row) not in measured] + table, key=place))


def case(row: dict[str, object]) -> tuple[object, ...]:
    """What a run can be asked for."""
    return tuple(row.get(name) for name in CASE)


def place(row: dict[str, object]) -> tuple[int, int, int]:
    """Net by net, dtype by dtype, one vector first."""
    net, dtype, vectors, _ = case(row)
    nets, kinds = list(NETS), list(KINDS)
    known = nets.index(str(net)) if net in nets else len(nets)
    return known, kinds.index(str(dtype)), vectors if isinstance(vectors, int) else 0
