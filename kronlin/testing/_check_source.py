"""check_source: every law of a gradient source, one after the other."""

from collections.abc import Callable
from inspect import cleandoc
from typing import Any

from kronlin.arrays import Array, is_array
from kronlin.sources import Source
from kronlin.sources._loss import Loss
from kronlin.sources._losses import LOSSES, loss_function
from kronlin.sources._positions import PerPosition
from kronlin.sources._source import Collected, Fisher
from kronlin.testing._case import BrokenLaw
from kronlin.testing.source_laws import _curvature, _form, _gradient, _parity, _samples
from kronlin.testing.source_laws._trial import Trial

Law = Callable[[Trial], None]

LAWS: tuple[Law, ...] = (
    _form.form,
    _form.refusal,
    _form.untouched,
    _form.repeatability,
    _gradient.value,
    _gradient.gradient,
    _gradient.mean_of_the_empirical_columns,
    _gradient.empirical_columns,
    _form.single_examples,
    _curvature.adjoint,
    _curvature.outer_products,
    _form.independence_of_the_labels,
    _curvature.jacobian_products,
    _curvature.enumeration,
    _samples.sampled_columns,
    _parity.parity,
)
"""In the order in which they are checked."""


def check_source(
    collect: Source,
    model: Callable[[Array], Any],
    parameters: Array,
    loss: Any,
    x: Array,
    y: Array,
    *,
    output: Callable[[Any, Array], Array] | None = None,
    head: str | Loss | None = None,
    scale: float = 1.0,
    twin: Callable[[Fisher], Collected] | None = None,
    rtol: float | None = None,
) -> None:
    """Check that a gradient source hands over what it should: loss, gradient and the three kinds of columns.

    The loss and the gradient are held against differences of the loss, the empirical columns against those of single
    examples, the columns of type 2 against differences of the outputs and against the expectation over all labels
    (left out above 256 labels of an example), and the sampled ones against type 2. For a small smooth network and few
    examples: about 8 calls of `collect` for each layer and example, and two on 4000 examples.

    Args:
        collect: the source, called as collect(model, loss, x, y, fisher=..., seed=...).
        model: the function that makes the model of a parameter vector (p,), whose order is that of the layers, each
            [W | b] row by row.
        parameters: the vector at which the laws are checked.
        loss: what `collect` takes as loss.
        x: inputs, an array with the examples along its first axis.
        y: labels, likewise.
        output: the function (model, x) ↦ f, with outputs (n, ..., D); model(x) if None.
        head: what the loss is in the words of kronlin: "mse", "softmax", "bernoulli" or a `Loss`, summed over
            positions. If None: `loss`, if it is such a word; if it is not, the laws about the loss as a function of
            the output are left out.
        scale: the loss is this multiple of the `head`, as where a framework averages over the outputs.
        twin: the function fisher ↦ (layers, gradient, loss) of another source with the same weights and data, to which
            this one is compared.
        rtol: tolerance of what is equal but for rounding; 1e-11 in double and 5e-3 in single precision if None.

    Raises:
        AssertionError: a law is broken; the message says which, and where.
        TypeError: the parameters, x or y are no arrays.

    >>> import numpy as np
    >>> from kronlin.sources.numpy_mlp import MLP, collect
    >>> net, x, y = MLP((3, 2, 2)), np.eye(3), np.array([0, 1, 1])
    >>> check_source(collect, net.with_parameters, net.parameters, "softmax", x, y)
    >>> def summed(*arguments, **options):
    ...     layers, gradient, loss = collect(*arguments, **options)
    ...     return layers, len(arguments[2]) * gradient, loss
    >>> check_source(summed, net.with_parameters, net.parameters, "softmax", x, y)
    Traceback (most recent call last):
    AssertionError: the law of gradient is broken: ∇h · v is the derivative of the loss h along v.
      ∇h · v for a direction in layer 'linear0': expected ..., got ... (tolerance ...)
    """
    for what, array in (("parameters", parameters), ("x", x), ("y", y)):
        if not is_array(array):
            raise TypeError(f"{what} is a {type(array).__name__}, where check_source needs an array")
    if head is None and isinstance(loss, str | Loss) and (isinstance(loss, Loss) or loss in LOSSES):
        head = loss
    wholly = None if head is None else PerPosition(loss_function(head))
    call = (lambda model, x: model(x)) if output is None else output
    for law in LAWS:
        trial = Trial(collect, model, parameters, loss, x, y, call, wholly, scale, twin, rtol)
        try:
            law(trial)
        except Exception as error:
            finding = str(error) if isinstance(error, BrokenLaw) else f"{type(error).__name__}: {error}"
            statement = cleandoc(law.__doc__ or "").replace("\n", " ")
            raise AssertionError(
                f"the law of {law.__name__.replace('_', ' ')} is broken: {statement}\n  {finding}"
            ) from error
