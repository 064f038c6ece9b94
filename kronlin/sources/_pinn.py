"""What the curvature of a physics-informed network is built from: residuals inside a domain and on its boundary."""

import math
from collections.abc import Sequence

import numpy as np

from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources._forward_laplacian import backward_laplacian, forward_laplacian
from kronlin.sources._loss import Floats
from kronlin.sources._mlp import MLP
from kronlin.sources._stage import Trace

Term = tuple[tuple[LayerStatistics, ...], Floats, float]


def collect_pinn(
    model: MLP,
    x: Floats,
    f: Floats,
    x_boundary: Floats,
    g: Floats,
    coefficients: Floats | None = None,
    weights: tuple[float, float] = (1.0, 1.0),
) -> tuple[tuple[LayerStatistics, ...], tuple[LayerStatistics, ...], Floats, float]:
    """Return `(interior, boundary, gradient, loss)` of a network u that is to meet Δu = f inside, u = g at the edge.

    With the residuals `r_i = Δu(x_i) - f_i` at interior points and `b_i = u(y_i) - g_i` at boundary points the loss is
    `w₁ · ½ mean |r_i|² + w₂ · ½ mean |b_i|²`, and `fisher(interior) + fisher(boundary)` is its Gauss-Newton matrix.
    With `coefficients` (c₀, b₁, …, b_d, c) the equation is `c₀ u + b·∇u + c Δu = f` instead.

    The layers of `interior` see the value, the d derivatives and the Laplacian of what comes in as S = d + 2 positions:
    inputs (n, d + 2, d_in), with a one in the bias column of the first and zeros in the others, and output gradients
    (n, d + 2, D, d_out), the derivatives of each of the D residuals. Those of `boundary` are the ordinary ones, S = 1.
    A weight w multiplies the output gradients by √w.

    Cost: (d + 2)(D + 1) passes at the interior points, D + 1 at those on the boundary.

    Args:
        model: the network u, of d inputs and D outputs, with smooth activations.
        x: points in the interior, (n, d).
        f: the right-hand side there, (n, D).
        x_boundary: points on the boundary, (m, d).
        g: the values there, (m, D).
        coefficients: those of u, ∂₁u, …, ∂_d u and Δu: (d + 2,), or (n, d + 2) where they depend on the point.
            (0, …, 0, 1) if None.
        weights: w₁ and w₂, of the interior and of the boundary.

    Raises:
        TypeError: the network is no `MLP`.
        ValueError: shapes or dtypes do not fit, there is no point, an entry is NaN or Inf, a weight is not positive,
            an activation has no second derivative (such as relu), or the network overflows.

    >>> net = MLP((2, 8, 1), seed=1)
    >>> inside, edge = np.array([[0.5, 0.5], [0.2, 0.7]]), np.array([[0.0, 0.5], [1.0, 0.5], [0.5, 0.0]])
    >>> interior, boundary, gradient, loss = collect_pinn(net, inside, -np.ones((2, 1)), edge, np.zeros((3, 1)))
    >>> interior[0]
    LayerStatistics('linear0', n=2, S=4, K=1, d_out=8, d_in=3, numpy float64)
    >>> boundary[0], gradient.shape
    (LayerStatistics('linear0', n=3, S=1, K=1, d_out=8, d_in=3, numpy float64), (33,))

    Source: Dangel, Müller and Zeinhofer (2024), "Kronecker-factored approximate curvature for physics-informed neural
    networks", arXiv 2405.15603.
    """
    if not isinstance(model, MLP):
        raise TypeError(
            f"collect_pinn takes an MLP, not {type(model).__name__}: a Laplacian goes through its layers only"
        )
    if len(weights) != 2 or not all(0 < w < math.inf for w in weights):
        raise ValueError(f"weights = {weights}: two positive numbers, of the interior and of the boundary, are needed")
    terms = (_interior(model, x, f, coefficients, weights[0]), _boundary(model, x_boundary, g, weights[1]))
    (interior, one, inside), (boundary, two, outside) = terms
    return interior, boundary, one + two, inside + outside


def _interior(model: MLP, x: Floats, f: Floats, coefficients: Floats | None, weight: float) -> Term:
    """The residuals c₀ u + b·∇u + c Δu - f."""
    traces = forward_laplacian(model, x)
    slots = traces[-1].output
    n, S, D = slots.shape
    model._require("f", f, (n, D), "one right-hand side for each interior point and output")
    c = _checked_coefficients(coefficients, model, n, S)
    residuals = np.einsum("is,isd->id", c, slots) - f
    columns = c[:, None, :, None] * np.eye(D, dtype=model.dtype)[:, None]
    derivatives = [g.swapaxes(1, 2) for g in backward_laplacian(model, columns, traces)]
    return _term(traces, derivatives, residuals, weight)


def _boundary(model: MLP, x: Floats, g: Floats, weight: float) -> Term:
    """The residuals u - g."""
    model._require("x_boundary", x, (None, model.widths[0]), "rows are points, columns their coordinates")
    traces = model.forward(x)
    u = traces[-1].output
    n, D = u.shape
    model._require("g", g, (n, D), "one value for each boundary point and output")
    columns = np.broadcast_to(np.eye(D, dtype=model.dtype), (n, D, D))
    return _term(traces, model.backward(columns, traces), u - g, weight)


def _term(traces: Sequence[Trace], derivatives: Sequence[Floats], residuals: Floats, weight: float) -> Term:
    """Layers, gradient and value of w · ½ mean |r|², by the derivatives of the residuals."""
    n, scale = len(residuals), math.sqrt(weight)
    with np.errstate(over="ignore", invalid="ignore"):
        value = weight * float((residuals**2).sum()) / (2 * n)
        _require_finite(value)
        layers = tuple(
            LayerStatistics(trace.inputs, scale * g, name=f"linear{j}")
            for j, (trace, g) in enumerate(zip(traces, derivatives, strict=True))
        )
        r = scale * residuals.ravel() / n
        gradient = np.concatenate([FisherRoot(layer.inputs, layer.output_gradients) @ r for layer in layers])
        _require_finite(gradient)
    return layers, gradient, value


def _require_finite(result: float | Floats) -> None:
    """Require a loss or a gradient without NaN and Inf."""
    if not np.isfinite(result).all():
        raise ValueError(
            "the network overflows: its loss or the gradient is not finite; scale the points and the data, or take "
            "smaller parameters, weights or steps"
        )


def _checked_coefficients(coefficients: Floats | None, model: MLP, n: int, S: int) -> Floats:
    """Return the coefficients of the slots at every point, (n, S); those of the Laplacian if None."""
    if coefficients is None:
        coefficients = np.zeros(S, model.dtype)
        coefficients[-1] = 1
    if np.ndim(coefficients) == 1:
        coefficients = np.broadcast_to(coefficients, (n, np.size(coefficients)))
    hint = "one for u, one for each derivative and one for Δu, at each interior point or the same at all (S,)"
    model._require("coefficients", coefficients, (n, S), hint)
    return coefficients
