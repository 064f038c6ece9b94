"""Tables of docs/coarse_spaces.rst, and the numbers that its text names, from what coarse_spaces.py measured."""

import json
from collections.abc import Iterable
from itertools import product
from math import exp, log
from pathlib import Path
from statistics import median
from typing import Any

from pagetexts import texts_of, write_texts

RECORD = Path(__file__).parent / "results" / "coarse_spaces.json"
TARGET = Path(__file__).parents[1] / "docs" / "coarse_spaces"
PAGE = TARGET.with_suffix(".rst")
WITHOUT_KFAC = {"constants", "rows", "columns", "random 1", "random 20", "gradients", "ritz of A, 20", "ritz of A, 60"}
"""The spaces that can be made without K-FAC."""


class Record:
    """The measurements, found by what was measured."""

    def __init__(self, text: str) -> None:
        data = json.loads(text)
        self.nets = data["nets"]
        self.rows = {key(row, "net", "damping", "fine", "space", "scheme"): row for row in data["rows"]}
        self.costs = {key(row, "net", "fine", "space", "scheme"): row for row in data["costs"]}
        self.names = [net["net"] for net in self.nets]
        self.dampings = sorted({row["damping"] for row in data["rows"]}, reverse=True)
        self.spaces = list(dict.fromkeys(row["space"] for row in data["rows"] if "space" in row))
        self.systems = list(product(self.names, self.dampings))

    def of(self, what: str, fine: str, space: str | None = None, scheme: str | None = None) -> list[float]:
        """One quantity in all systems in which it was measured."""
        found = [self.rows.get((*system, fine, space, scheme)) for system in self.systems]
        return [row[what] for row in found if row is not None]

    def ratio(self, fine: str, space: str | None, scheme: str | None = "A-DEF2", beside: str = "") -> list[float]:
        """Iterations by those of a fine level alone (the same if not said), in all systems that have them."""
        return [
            self.rows[*system, fine, space, scheme]["iterations"]
            / self.rows[*system, beside or fine, None, None]["iterations"]
            for system in self.systems
            if (*system, fine, space, scheme) in self.rows
        ]

    def errors(self, what: str, fine: str, space: str | None = None, scheme: str | None = None) -> float:
        """The median of an error of one step over the systems in which every scheme was measured."""
        return median(self.rows[*system, fine, space, scheme][what] for system in self.systems)

    def cost(self, what: str, fine: str, space: str | None = None, scheme: str | None = None) -> float:
        """The median of a cost over the nets."""
        return median(self.costs[net, fine, space, scheme][what] for net in self.names)

    def work(self, fine: str, space: str | None, set_up: bool) -> list[float]:
        """The whole solve by the whole of plain CG, both in products with A; set-up counted or not."""
        return [
            self._work(*system, fine, space, set_up) / self._work(*system, "none", None, True)
            for system in self.systems
        ]

    def _work(self, net: str, damping: float, fine: str, space: str | None, set_up: bool) -> float:
        scheme = None if space is None else "A-DEF2"
        steps = self.rows[net, damping, fine, space, scheme]["iterations"]
        whole: float = steps * self.costs[net, fine, space, scheme]["step"]
        if set_up and (fine == "K-FAC" or space not in {None, *WITHOUT_KFAC}):
            whole += self.costs[net, "K-FAC", None, None]["set-up"]
        return whole + (self.costs[net, fine, space, scheme]["set-up"] if set_up and space else 0.0)


def key(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """What identifies a row; None where it has no coarse space or scheme."""
    return tuple(row.get(name) for name in names)


def mean(values: Iterable[float]) -> float:
    """The geometric mean, as fits ratios."""
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))


def spread(values: list[float]) -> str:
    """Geometric mean, with the smallest and the largest."""
    return f"{mean(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def short(value: float) -> str:
    """Three digits, without an exponent where there is a better way."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def nets(record: Record) -> list[list[str]]:
    """The nets and the sizes of their Fisher matrices."""
    head = [
        "net",
        "widths",
        "activation",
        "loss",
        "steps",
        "examples n",
        "p",
        "columns of U",
        "λ_max(F)",
        "trace(F) / p",
    ]
    widths = [
        f"{n['widths'][0]}-{n['widths'][1]}-…-{n['widths'][-1]}"
        if len(n["widths"]) > 6
        else "-".join(map(str, n["widths"]))
        for n in record.nets
    ]
    return [head] + [
        [
            n["net"],
            width,
            n["activation"],
            n["loss"],
            *map(str, (n["steps"], n["n"], n["p"], n["columns"])),
            short(n["largest"]),
            short(n["mean"]),
        ]
        for n, width in zip(record.nets, widths, strict=True)
    ]


def sizes(record: Record, space: str) -> str:
    """The number of columns, from the smallest to the largest net."""
    found = sorted(set(record.of("k", "none", space, "A-DEF2")))
    return f"{found[0]}" if len(found) == 1 else f"{found[0]}–{found[-1]}"


def summary(record: Record) -> list[list[str]]:
    """Iterations by those of the fine level alone."""
    head = [
        "coarse space",
        "columns k",
        "K-FAC + AD",
        "K-FAC + A-DEF2",
        "K-FAC + BNN",
        "deflation alone",
        "deflation alone by A-DEF2",
    ]
    rows = []
    for space in record.spaces:
        schemes = [spread(record.ratio("K-FAC", space, scheme)) for scheme in ("AD", "A-DEF2", "BNN")]
        alone, both = (record.of("iterations", fine, space, "A-DEF2") for fine in ("none", "K-FAC"))
        beside = spread([x / y for x, y in zip(alone, both, strict=True)])
        rows.append([space, sizes(record, space), *schemes, spread(record.ratio("none", space)), beside])
    return [head, *rows]


def by_net(record: Record, what: str, damping: float) -> list[list[str]]:
    """One quantity at one damping for each net, on K-FAC and without it."""
    rows = [["", *record.names]]
    for fine in dict.fromkeys(fine for _, _, fine, _, _ in record.rows):
        found = [record.rows[net, damping, fine, None, None][what] for net in record.names]
        rows.append([f"{fine}, one level", *map(short, found)])
    for space in record.spaces:
        pairs = [
            [record.rows[net, damping, fine, space, "A-DEF2"][what] for fine in ("K-FAC", "none")]
            for net in record.names
        ]
        rows.append([space, *(" / ".join(map(short, pair)) for pair in pairs)])
    for fine, space in dict.fromkeys((f, s) for _, _, f, s, _ in record.rows if s and f not in ("none", "K-FAC")):
        found = (record.rows[net, damping, fine, space, "A-DEF2"][what] for net in record.names)
        rows.append([f"{space}, on {fine}", *map(short, found)])
    return rows


def one_step(record: Record) -> list[list[str]]:
    """The error of one step."""
    head = [
        "coarse space",
        "AD",
        "A-DEF2",
        "BNN",
        "A-DEF2, best length",
        "Galerkin step",
        "Galerkin step without K-FAC",
    ]
    rows = []
    for fine in ("K-FAC", "exact blocks"):
        raw, scaled = (f"{record.errors(what, fine):.2f}" for what in ("error", "scaled error"))
        plain = f"{record.errors('scaled error', 'none'):.2f}" if fine == "K-FAC" else "–"
        rows.append([f"none ({fine} alone)", raw, raw, raw, scaled, scaled, plain])
    for space in record.spaces:
        found = [record.errors("error", "K-FAC", space, scheme) for scheme in ("AD", "A-DEF2", "BNN")]
        found += [record.errors(what, "K-FAC", space, "A-DEF2") for what in ("scaled error", "galerkin error")]
        found.append(record.errors("galerkin error", "none", space, "A-DEF2"))
        rows.append([space, *(f"{value:.2f}" for value in found)])
    return [head, *rows]


def costs(record: Record) -> list[list[str]]:
    """Costs in products with A."""
    head = [
        "coarse space",
        "set-up",
        "apply AD",
        "apply A-DEF2",
        "apply BNN",
        "step of CG: AD",
        "A-DEF2",
        "BNN",
        "deflation alone",
    ]
    step = {fine: f"{record.cost('step', fine):.1f}" for fine in ("none", "K-FAC")}
    apply, set_up = f"{record.cost('apply', 'K-FAC'):.1f}", f"{record.cost('set-up', 'K-FAC'):.1f}"
    rows = [
        ["none", "0", "–", "–", "–", "–", "–", "–", step["none"]],
        ["K-FAC alone", set_up, *[apply] * 3, *[step["K-FAC"]] * 3, "–"],
    ]
    schemes = ("AD", "A-DEF2", "BNN")
    for space in record.spaces:
        found = [record.cost("set-up", "K-FAC", space, "A-DEF2")]
        found += [record.cost(what, "K-FAC", space, scheme) for what in ("apply", "step") for scheme in schemes]
        rows.append([space, *(f"{value:.1f}" for value in [*found, record.cost("step", "none", space, "A-DEF2")])])
    return [head, *rows]


def work(record: Record) -> list[list[str]]:
    """The cost of a whole solve by that of plain CG."""
    names = ["K-FAC + A-DEF2", "deflation alone"]
    head = ["coarse space", *names, *(f"{name}, set-up free" for name in names)]
    columns = [(fine, set_up) for set_up in (True, False) for fine in ("K-FAC", "none")]
    return [head] + [
        [space or "none", *(spread(record.work(fine, space, set_up)) for fine, set_up in columns)]
        for space in (None, *record.spaces)
    ]


def numbers(record: Record) -> dict[str, str]:
    """The numbers that the text names: geometric means of ratios, medians of errors, and counts of systems."""

    def wins(left: tuple[str, str | None], right: tuple[str, str | None]) -> str:
        pairs = [record.of("iterations", fine, space, space and "A-DEF2") for fine, space in (left, right)]
        return str(sum(x < y for x, y in zip(*pairs, strict=True)))

    smallest = [space for space in record.spaces if space.startswith("smallest")]
    changes = [
        abs(ratio - 1) for fine in ("none", "K-FAC") for space in smallest for ratio in record.ratio(fine, space)
    ]
    found = {"systems": str(len(record.systems)), "change by smallest": f"{max(changes):.0%}"}
    pairs = (
        (record.rows[*system, "K-FAC", space, name]["iterations"] for name in ("BNN", "A-DEF2"))
        for system, space in product(record.systems, record.spaces)
    )
    found["BNN beside A-DEF2"] = str(max(abs(x - y) for x, y in pairs))
    found["work, K-FAC"] = f"{mean(record.work('K-FAC', None, True)):.2f}"
    found["K-FAC helps"] = wins(("K-FAC", None), ("none", None))
    found["blocks help"] = wins(("exact blocks", None), ("none", None))
    for fine in ("K-FAC", "K-FAC, 10 λ", "K-FAC, 100 λ", "exact blocks"):
        found[f"{fine} alone"] = f"{mean(record.ratio(fine, None, None, 'none')):.2f}"
        found[f"largest 20 on {fine} by none"] = f"{mean(record.ratio(fine, 'largest 20', 'A-DEF2', 'none')):.2f}"
    for what in ("error", "scaled error"):
        for fine in ("none", "K-FAC", "exact blocks"):
            found[f"{what}, {fine}"] = f"{record.errors(what, fine):.2f}"
    for space in record.spaces:
        found[f"{space} wins alone"] = wins(("none", space), ("K-FAC", space))
        for fine, place in (("none", "alone"), ("K-FAC", "on K-FAC")):
            found[f"{space} {place}"] = f"{mean(record.ratio(fine, space)):.2f}"
            found[f"{space} {place} by none"] = f"{mean(record.ratio(fine, space, beside='none')):.2f}"
            found[f"galerkin error, {space} {place}"] = f"{record.errors('galerkin error', fine, space, 'A-DEF2'):.2f}"
            for free in (True, False):
                name = f"work, {space} {place}" + (", free" if free else "")
                found[name] = f"{mean(record.work(fine, space, not free)):.2f}"
        for scheme in ("AD", "BNN"):
            found[f"{space} by {scheme}"] = f"{mean(record.ratio('K-FAC', space, scheme)):.2f}"
    return found


def texts(record: Record) -> dict[str, str]:
    """The files of text by name."""
    made = {"nets": nets, "summary": summary, "one_step": one_step, "costs": costs, "work": work}
    found = {name: table(record) for name, table in made.items()}
    found |= {f"iterations_{damping:.0e}": by_net(record, "iterations", damping) for damping in record.dampings}
    found["conditions"] = by_net(record, "condition", record.dampings[1])
    return texts_of(PAGE, found, numbers(record))


def main() -> None:
    """Write all files."""
    write_texts(TARGET, texts(Record(RECORD.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
