"""refresh: the next state of a preconditioner, from the statistics of a step and the damping in force."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from kronlin.algebra import Operator
from kronlin.curvature import LayerStatistics, fisher, tikhonov_damping
from kronlin.preconditioner._damping import Damping
from kronlin.preconditioner._in_rows import in_rows
from kronlin.preconditioner.recipe import Recipe
from kronlin.preconditioner.state import State
from kronlin.twolevel import TwoLevel


def refresh(
    recipe: Recipe, state: State, step: int, due: Sequence[str], layers: Sequence[LayerStatistics], lam: Damping
) -> State:
    """The state with the pieces that are due made from these layers, and all pieces with this λ.

    Another λ than before goes into the inverses and the coarse matrix alike, from the curvature that they had: in
    closed form after exact damping, by new factorisations of damped factors, and by a product with the Fisher matrix
    for each column of Z. Where it raises, the given state is as it was.

    Raises:
        ValueError: a piece cannot be made, or is not finite.

    >>> import numpy as np
    >>> from kronlin.curvature import kfac
    >>> from kronlin.preconditioner.averages import Averages
    >>> layers = [LayerStatistics(np.eye(2), np.ones((2, 1)))]
    >>> empty = State(Averages.start(kfac, None, 0.9), 1.0)
    >>> state = refresh(Recipe(), empty, 1, ("factors", "inverses"), layers, 1.0)
    >>> state.operator, state.made
    (BlockDiagonal(2×2, float64, pd: Spectral(Kronecker(1×1 ⊗ 2×2))), {'factors': 1, 'inverses': 1})
    >>> float(refresh(recipe=Recipe(), state=state, step=2, due=(), layers=(), lam=2.0).operator.trace())
    0.8
    """
    damped_anew = lam != state.lam
    averages = state.averages
    blocks, M, F, Z = cast(list[Operator], [state.blocks, state.M, state.F, state.Z])  # there, if the clock is right
    if "factors" in due:
        averages = averages.update(recipe.estimator, recipe.basis, layers, turn="inverses" in due)
    if "inverses" in due:
        blocks = averages.value
    if "inverses" in due or damped_anew:
        M = recipe.fine(blocks, lam)
    if "coarse" in due:
        F = fisher(layers)
    if "basis" in due:
        Z = recipe.space(blocks, layers, tikhonov_damping(F, lam), M)
        F, Z = in_rows(F, Z)
    elif "coarse" in due:
        (F,) = in_rows(F)
    made = {**state.made, **dict.fromkeys(due, step)}
    new = replace(state, averages=averages, lam=lam, blocks=blocks, F=F, Z=Z, M=M, made=made)
    return with_operator(recipe, new, None if "coarse" in due or damped_anew else state.operator)


def with_operator(recipe: Recipe, state: State, before: object = None) -> State:
    """The state with its operator; the coarse problem is that of the operator before, if there is one."""
    if recipe.scheme is None:
        return replace(state, operator=state.M)
    if isinstance(before, TwoLevel):
        return replace(state, operator=before.with_scheme(recipe.scheme, state.M))
    assert state.M is not None
    assert state.Z is not None
    return replace(state, operator=recipe.combine(tikhonov_damping(state.F, state.lam), state.M, state.Z))
