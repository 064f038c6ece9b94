"""Tables of docs/training.rst, and the numbers that its text names, from what three benchmarks measured."""

import csv
import json
from pathlib import Path
from statistics import median
from typing import Any

from pagetexts import texts_of, write_texts

RESULTS = Path(__file__).parent / "results"
TARGET = Path(__file__).parents[1] / "docs" / "training"
PAGE = TARGET.with_suffix(".rst")
COLLECT, STEP, TRAINING = "pytorch_source", "training_step", "autoencoder_training"

Rows = list[dict[str, Any]]


def load() -> dict[str, Rows]:
    """What was measured, the rows of each benchmark."""
    return {
        name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"]
        for name in (COLLECT, STEP, TRAINING)
    }


def curves() -> dict[str, list[list[float]]]:
    """The losses after each epoch of the best setting of each method, a list for each seed."""
    found: dict[str, list[list[float]]] = {}
    with (RESULTS / f"{TRAINING}_curves.csv").open(encoding="utf-8") as file:
        for method, _, *losses in list(csv.reader(file))[1:]:
            found.setdefault(method, []).append([float(loss) for loss in losses])
    return found


def best(record: dict[str, Rows]) -> Rows:
    """The best setting of each method."""
    return [row for row in record[TRAINING] if row["best"]]


def tables(record: dict[str, Rows]) -> dict[str, list[list[str]]]:
    """The tables by the names of their files."""
    ratio = "by forward and backward"
    return {
        "collect": [["", ratio]] + [[row["what"], f"{row['ratio']:.2f}"] for row in record[COLLECT]],
        "step": [["", "by a step of Adam"]] + [[row["step"], f"{row['by Adam']:.2f}"] for row in record[STEP]],
        "best": [["method", "best setting", "epochs to Adam's loss, seeds 0, 1, 2", "ms an epoch"]]
        + [
            [row["method"], row["setting"], row["epochs to Adam's"].replace(" ", ", "), f"{row['ms an epoch']:.0f}"]
            for row in best(record)
        ],
        "grid": [["method", "setting", "after epochs", "loss"]]
        + [[row["method"], row["setting"], str(row["epoch"]), f"{row['loss']:.2f}"] for row in record[TRAINING]],
    }


def numbers(record: dict[str, Rows]) -> dict[str, str]:
    """The numbers that the text may name."""
    found = {f"collect, {row['what']}": f"{row['ratio']:.2f}" for row in record[COLLECT]}
    found |= {f"step, {row['step']}": f"{row['by Adam']:.2f}" for row in record[STEP]}
    for row in best(record):
        epochs = [float(word) for word in row["epochs to Adam's"].split() if word != "None"]
        method, ms = row["method"], row["ms an epoch"]
        found |= {f"loss, {method}": f"{row['loss']:.1f}", f"epoch, {method}": f"{ms:.0f}"}
        found |= {f"longest, {method}": f"{max(epochs):.0f}", f"seconds, {method}": f"{median(epochs) * ms / 1e3:.1f}"}
    return found


def texts(record: dict[str, Rows]) -> dict[str, str]:
    """The files of text by name."""
    return texts_of(PAGE, tables(record), numbers(record))


def main() -> None:
    """Write all files."""
    write_texts(TARGET, texts(load()))


if __name__ == "__main__":
    main()
