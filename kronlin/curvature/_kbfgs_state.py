"""The state of K-BFGS as arrays by name, and back, for checkpoints of any format that holds arrays."""

from collections.abc import Iterable, Mapping
from typing import Any

from kronlin.arrays import Array, all_finite, kind, to_numpy
from kronlin.curvature.kbfgsfactors import KBFGSFactors

_SIDES = {"A": "aa", "H_a": "aa", "H_g": "gg", "s": "g", "y": "g"}
"""The axes of each array of a layer: a has d_in entries, g d_out."""


def state_arrays(factors: Iterable[KBFGSFactors], updates: int) -> dict[str, Array]:
    """The arrays "0.A", "0.H_a", … of each layer, and the integers "counts": updates, S, skipped (2), resets (2)."""
    arrays, counts = {}, []
    for j, layer in enumerate(factors):
        arrays.update({f"{j}.{name}": getattr(layer, name) for name in _SIDES})
        counts.append([updates, layer.S, *layer.skipped, *layer.resets])
    return {"counts": kind(arrays["0.A"]).indices(counts), **arrays}


def factors_of(state: Mapping[str, Any]) -> tuple[tuple[KBFGSFactors, ...], int]:
    """The factors of each layer, and the number of updates, that `state_arrays` took apart.

    Raises:
        ValueError: an array is missing, or has a shape, kind or entry that does not belong there.
    """
    rows = to_numpy(_named(state, "counts")).tolist()
    factors = tuple(_layer(state, j, *row[1:]) for j, row in enumerate(rows))
    if len({kind(layer.A) for layer in factors}) != 1:
        raise ValueError("the layers of this state differ in library, dtype or device, or there is none")
    return factors, rows[0][0]


def _layer(state: Mapping[str, Any], j: int, S: int, *counts: int) -> KBFGSFactors:
    arrays = {name: _named(state, f"{j}.{name}") for name in _SIDES}
    sizes = {"a": arrays["A"].shape[0], "g": arrays["s"].shape[0]}
    for name, x in arrays.items():
        shape = tuple(sizes[side] for side in _SIDES[name])
        if tuple(x.shape) != shape or kind(x) != kind(arrays["A"]):
            raise ValueError(
                f"'{j}.{name}' of this state has shape {tuple(x.shape)} and is {kind(x)}, "
                f"but shape {shape} and {kind(arrays['A'])} are due"
            )
        if not all_finite(x):
            raise ValueError(f"'{j}.{name}' of this state has an entry that is NaN or infinite")
    return KBFGSFactors(**arrays, S=S, skipped=(counts[0], counts[1]), resets=(counts[2], counts[3]))


def _named(state: Mapping[str, Any], name: str) -> Array:
    if name not in state:
        raise ValueError(f"there is no {name!r} among {', '.join(state)}: this is no state_dict of KBFGS")
    return state[name]
