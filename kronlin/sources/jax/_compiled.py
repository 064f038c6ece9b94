"""What is made once for a model and the shapes of its arrays, and kept from one call of `collect` to the next."""

from collections.abc import Sequence
from functools import lru_cache
from math import isfinite, sqrt
from typing import Any

from kronlin.arrays import Array
from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources._source import Collected, Unsupported
from kronlin.sources.jax._differentiate import differentiate
from kronlin.sources.jax._jax import Tree, import_jax
from kronlin.sources.jax._loss import Loss
from kronlin.sources.jax._trace import Function, Pair, trace

Options = tuple[str, int, Unsupported]
"""Which columns, how many samples, and what becomes of parameters that no layer explains."""


class Compiled:
    """A function, a loss and options, for parameters, inputs and labels of certain shapes, which hold no entries.

    Reading the program and all that shapes can tell is done here; the program is compiled at the first call.
    """

    def __init__(self, function: Function, head: Loss, options: Options, parameters: Tree, x: Tree, y: Tree) -> None:
        jax = import_jax()
        parts = trace(function, parameters, x, options[-1]).parts
        self.names = [name for part in parts for name in part.names]
        self.outputs = jax.eval_shape(function, parameters, x)
        jax.eval_shape(lambda y: head.targets(self.outputs, y), y)
        self._one_by_one = False

        def run(parameters: Tree, x: Tree, y: Array, seed: Any) -> tuple[Sequence[Pair], Array, Array, Array, Array]:
            pairs, gradient, risk, f = differentiate(function, head, *options, parameters, x, y, seed)
            sums = [array.sum() for pair in pairs for array in pair]  # NaN and Inf survive a sum
            finite = jax.numpy.isfinite(jax.numpy.stack([*sums, gradient.sum(), risk])).all()
            return pairs, gradient, risk, f, finite

        def distance(parameters: Tree, x: Tree, f: Array) -> Array:
            tiny = jax.numpy.finfo(f.dtype).tiny
            return abs(function(parameters, x) - f).max() / jax.numpy.maximum(abs(f).max(), tiny)

        self._run, self._distance = jax.jit(run), jax.jit(distance)

    def collect(self, parameters: Tree, x: Tree, y: Tree, seed: int, check: bool) -> Collected:
        """Layers, gradient and loss, all finite; with `check`, of a model that has once treated examples one by one.

        Raises:
            ValueError: NaN or Inf, or examples that the model mixes.
        """
        pairs, gradient, risk, f, finite = self._run(parameters, x, y, seed)
        risk, finite = float(risk), bool(finite)
        if not finite:  # or a sum overflowed: look at all entries
            _require_finite(risk, gradient)
        if check and not self._one_by_one:
            _require_one_by_one(float(self._distance(parameters, x, f)), f)
            self._one_by_one = True
        make = LayerStatistics._make if finite else LayerStatistics
        return tuple(make(a, g, name) for (a, g), name in zip(pairs, self.names, strict=True)), gradient, risk


def compiled(function: Function, head: Loss, options: Options, parameters: Tree, x: Tree, y: Tree) -> Compiled:
    """What was made for this function and arrays of these shapes before, or is made now; the last 64 are kept."""
    jax = import_jax()
    leaves, structure = jax.tree_util.tree_flatten((parameters, x, y))
    return _kept(function, head, options, structure, tuple(jax.ShapeDtypeStruct(v.shape, v.dtype) for v in leaves))


@lru_cache(maxsize=64)
def _kept(function: Function, head: Loss, options: Options, structure: Any, shapes: tuple[Any, ...]) -> Compiled:
    return Compiled(function, head, options, *import_jax().tree_util.tree_unflatten(structure, shapes))


def _require_finite(risk: float, gradient: Array) -> None:
    """Require a finite loss and a finite gradient."""
    if not (isfinite(risk) and bool(import_jax().numpy.isfinite(gradient).all())):
        raise ValueError(
            f"the loss is {risk} and the largest entry of its gradient {float(abs(gradient).max())}: look for NaN or "
            "Inf in the data, or for an overflow in the model"
        )


def _require_one_by_one(distance: float, f: Array) -> None:
    """Require outputs of the batch that are, but for rounding, those of the examples one by one."""
    if not distance <= 10 * sqrt(float(import_jax().numpy.finfo(f.dtype).eps)):
        raise ValueError(
            f"the outputs of the model differ by {distance:.1e}, relatively, between all examples at once and one "
            "by one: no layer may normalise over the examples, and no random numbers may be drawn (dropout), so call "
            "it in evaluation mode; if it rounds to low precision on the way, pass check=False"
        )
