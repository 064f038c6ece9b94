"""The state of a preconditioner as arrays by name, and back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kronlin.algebra import Operator
from kronlin.arrays import convert
from kronlin.preconditioner._refresh import with_operator
from kronlin.preconditioner.averages import Averages
from kronlin.preconditioner.recipe import Recipe
from kronlin.preconditioner.state import State
from kronlin.storage import pack, unpack


def write(state: State, values: Mapping[str, Any]) -> dict[str, Any]:
    """The pieces from which the operator is made, and further values, as `kronlin.storage.pack` keeps them.

    >>> from kronlin.curvature import kfac
    >>> from kronlin.preconditioner.averages import Averages
    >>> list(write(State(Averages.start(kfac, None, 0.9), 1.0), {"step": 0}))
    ['structure']
    """
    averages = state.averages
    pieces = {
        "main": averages.main.value,
        "factors": averages.factors.value if averages.factors else None,
        "kept": averages.kept,
        "blocks": state.blocks,
        "F": state.F,
        "Z": state.Z,
    }
    counts = [averages.main.count, averages.factors.count if averages.factors else 0]
    own = {"lam": state.lam, "counts": counts, "made": [list(pair) for pair in state.made.items()]}
    return pack({name: piece for name, piece in pieces.items() if piece is not None}, {**own, **values})


def read(recipe: Recipe, averages: Averages, stored: Mapping[str, Any], to: Any) -> tuple[State, dict[str, Any]]:
    """The state that `write` took apart, its operator made again, and the further values.

    Args:
        recipe: how the operator is made.
        averages: those of a preconditioner with the same options, for the weights of the past.
        stored: the arrays.
        to: where the arrays are to live.

    Raises:
        ValueError: the state is damaged, or of another recipe.
    """
    pieces, values = unpack(stored)
    _require_pieces(recipe, pieces, values)
    memo: dict[Any, Any] = {}  # so that what pieces share stays shared
    if to is not None:
        pieces = {name: piece._map(lambda array: convert(array, to), memo) for name, piece in pieces.items()}
    main, factors = values["counts"]
    averages = Averages(
        replace(averages.main, count=main, value=pieces.get("main")),
        averages.factors and replace(averages.factors, count=factors, value=pieces.get("factors")),
        pieces.get("kept"),
    )
    state = State(averages, values["lam"], pieces.get("blocks"), pieces.get("F"), pieces.get("Z"))
    state = replace(state, made=dict(values["made"]))
    if state.blocks is not None:
        state = with_operator(recipe, replace(state, M=recipe.fine(state.blocks, state.lam)))
    return state, values


def _require_pieces(recipe: Recipe, pieces: Mapping[str, Operator], values: Mapping[str, Any]) -> None:
    """Refuse a state of other options."""
    if not {"counts", "lam", "made"} <= set(values):
        raise ValueError(f"the state holds {', '.join(values) or 'nothing'}: it is not one of a Preconditioner")
    wanted = {"main", "blocks"}
    wanted |= {"F", "Z"} if recipe.scheme is not None else set()
    wanted |= {"factors", "kept"} if recipe.basis is not None else set()
    if set(pieces) != (wanted if values["made"] else set()):
        raise ValueError(
            f"the state holds {', '.join(sorted(pieces)) or 'no curvature'}, and these options need "
            f"{', '.join(sorted(wanted))}: load it into a preconditioner with the scheme and the basis that it had"
        )
