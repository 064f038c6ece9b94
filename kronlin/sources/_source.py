"""What a source is: how it is asked, and what it hands over."""

import math
import operator
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from kronlin.arrays import Array, all_finite, is_array, kind
from kronlin.curvature import LayerStatistics
from kronlin.curvature._fisher import checked_layers

Fisher = Literal["type-2", "mc", "empirical"]
FISHERS: tuple[Fisher, ...] = ("type-2", "mc", "empirical")

Unsupported = Literal["error", "columns", "omit"]
"""What becomes of parameters that no known layer explains, in a source that meets such."""
_UNSUPPORTED: tuple[Unsupported, ...] = ("error", "columns", "omit")

Collected = tuple[tuple[LayerStatistics, ...], Array, float]
"""Layers, gradient and loss."""


class Source(Protocol):
    """A gradient source: a function from a model and data to `(layers, gradient, loss)`.

    With `U[:, (i, k)] = vec(Σ_s g_isk a_isᵀ)`, layer by layer, and the loss `h(θ) = (1/n) Σ_i ℓ_i(θ)` of n examples:

    * `layers`: a `LayerStatistics` for each weight `[W | b]`, in the order of the parameter vector θ; (1/n) U Uᴴ is the
      Fisher matrix that was asked for;
    * `gradient`: ∇h (p,), in the same order, and of the library, dtype and device of the layers;
    * `loss`: h, a float.

    A source may have further arguments, all with defaults. `kronlin.testing.check_source` tells whether a function is
    one.

    Args:
        model: whatever the framework calls so; it is left as it was.
        loss: a loss of the framework. Those of kronlin are called "mse", "softmax" and "bernoulli".
        x: the inputs of n examples.
        y: their labels.
        fisher: which columns: "type-2" with (1/n) U Uᴴ the generalised Gauss-Newton matrix, "mc" for labels drawn
            from the model, "empirical" for the labels y, where the mean of the n columns is the gradient.
        seed: of the labels that are drawn; the same seed gives the same columns.

    Raises:
        ValueError: an unknown `fisher`, or a part of the model, a loss or data that the source cannot take. It names
            them: no parameter is left out silently.

    >>> from kronlin.sources import Source, numpy_mlp
    >>> collect: Source = numpy_mlp.collect
    """

    def __call__(self, model: Any, loss: Any, x: Any, y: Any, fisher: Fisher = "type-2", seed: int = 0) -> Collected:
        """Return `(layers, gradient, loss)`."""
        ...


def require_options(fisher: str, samples: int = 1, unsupported: str = "error") -> None:
    """Refuse unknown names, and a number of sampled labels that is none or has no meaning.

    >>> require_options("exact")
    Traceback (most recent call last):
    ValueError: unknown fisher 'exact': choose one of 'type-2', 'mc', 'empirical'
    """
    for title, value, known in (("fisher", fisher, FISHERS), ("unsupported", unsupported, _UNSUPPORTED)):
        if value not in known:
            raise ValueError(f"unknown {title} {value!r}: choose one of {', '.join(map(repr, known))}")
    if operator.index(samples) < 1:
        raise ValueError(f"samples = {samples}: at least one label per example must be drawn")
    if samples != 1 and fisher != "mc":
        raise ValueError(f"samples = {samples} has no meaning for fisher={fisher!r}, only for fisher='mc'")


def checked_collected(layers: Sequence[LayerStatistics], gradient: Array, loss: float) -> Collected:
    """Return layers, gradient and loss, after checking that they belong together.

    Raises:
        TypeError: something else than `LayerStatistics` is among the layers, or the gradient is no array.
        ValueError: n, K, library, dtype or device of the layers differ, the gradient does not fit them, or it or the
            loss is not finite.
    """
    first = checked_layers(layers)[0]
    for layer in layers:
        if kind(layer.inputs) != kind(first.inputs):
            raise ValueError(
                f"the layers are of two kinds, {first} and {layer}: one library, dtype and device is needed"
            )
    p = sum(layer.parameters for layer in layers)
    if not is_array(gradient):
        raise TypeError(f"the gradient is a {type(gradient).__name__}, where an array ({p},) is expected")
    if tuple(gradient.shape) != (p,):
        sizes = " + ".join(f"{layer.d_out}·{layer.d_in}" for layer in layers)
        raise ValueError(f"the gradient has shape {tuple(gradient.shape)}, where ({p},) is expected, p = {sizes}")
    if kind(gradient) != kind(first.inputs):
        raise ValueError(f"the gradient is {kind(gradient)}, where {kind(first.inputs)} is expected, as the layers are")
    if not all_finite(gradient):
        raise ValueError(f"the gradient ({p},) holds NaN or Inf")
    if isinstance(loss, bool) or not isinstance(loss, int | float) or not math.isfinite(loss):
        raise ValueError(f"the loss is {loss!r}, where a finite float is expected")
    return tuple(layers), gradient, float(loss)
