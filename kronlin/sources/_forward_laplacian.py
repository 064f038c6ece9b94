"""The forward Laplacian: a network's value, first derivatives and Laplacian in its inputs, carried layer by layer.

A layer works on d + 2 slots of every example, the value, the d derivatives and the Laplacian of what it sees as a
function of the network's inputs: (h, ∂₁h, …, ∂_d h, Δh). Its weight acts on each slot alike, so that it is a weight
shared over S = d + 2 positions; its bias is a constant and stands in the first slot alone. The activation mixes them,

    φ(z),   ∂_j φ(z) = φ′ ∂_j z,   Δφ(z) = φ′ Δz + φ″ Σ_j (∂_j z)²,   with φ′ and φ″ at the value z.

Source: Dangel, Müller and Zeinhofer (2024), "Kronecker-factored approximate curvature for physics-informed neural
networks", arXiv 2405.15603; Li et al. (2023), "Forward Laplacian: a new computational framework for neural
network-based variational Monte Carlo", arXiv 2307.08214.
"""

from collections.abc import Sequence

import numpy as np

from kronlin.sources._activations import Activation, Floats
from kronlin.sources._mlp import MLP
from kronlin.sources._stage import Trace


def forward_laplacian(network: MLP, x: Floats) -> tuple[Trace, ...]:
    """Return what each layer sees and makes of the slots of x (n, d): traces of arrays (n, d + 2, width).

    The last `output` holds the value, the derivatives and the Laplacian of the network. Cost: d + 2 forward passes,
    done as one.

    Raises:
        ValueError: x does not fit the network, or an activation has no second derivative.

    >>> affine = MLP((2, 1)).with_parameters(np.array([3.0, 4.0, 5.0]))
    >>> forward_laplacian(affine, np.array([[1.0, 1.0]]))[-1].output[0, :, 0].tolist()
    [12.0, 3.0, 4.0, 0.0]
    """
    network._require("x", x, (None, network.widths[0]), "rows are points, columns their coordinates")
    (n, d), traces = x.shape, []
    slots = np.zeros((n, d + 2, d), x.dtype)
    slots[:, 0], slots[:, 1:-1] = x, np.eye(d, dtype=x.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported by its user
        for layer in network.layers:
            inputs = _with_bias(slots) if layer.bias else slots
            z = inputs @ layer.weight.T
            slots = _activated(layer.activation, z)
            traces.append(Trace(inputs, z, slots))
    return tuple(traces)


def backward_laplacian(network: MLP, columns: Floats, traces: Sequence[Trace]) -> tuple[Floats, ...]:
    """Return columns (n, K, d + 2, D) at the output slots carried back to every layer, (n, K, d + 2, d_out) each.

    `g_iks` is the derivative of `r_ik = Σ_s c_iksᵀ y_is`, with y the output slots, by slot s of the preactivation, so
    that r_ik has the gradient Σ_s g_iks a_isᵀ in the layer's weight. Cost: (d + 2) K backward passes, done as one.
    """
    result: list[Floats] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for layer, trace in zip(reversed(network.layers), reversed(traces), strict=True):
            g = _backward_activation(layer.activation, columns, trace)
            columns = layer.to_inputs(g)
            result.append(g)
    return tuple(reversed(result))


def _with_bias(slots: Floats) -> Floats:
    """Append the input of the bias: the constant one, of which all derivatives are zero."""
    column = np.zeros((*slots.shape[:-1], 1), slots.dtype)
    column[:, 0] = 1
    return np.concatenate([slots, column], axis=-1)


def _activated(phi: Activation, z: Floats) -> Floats:
    """Carry the slots z (n, d + 2, width) through an activation."""
    value = phi.value(z[:, 0])
    slope, (bend, _) = phi.derivative(z[:, 0], value), phi.higher_derivatives(z[:, 0], value)
    result = slope[:, None] * z
    result[:, 0] = value
    result[:, -1] += bend * (z[:, 1:-1] ** 2).sum(axis=1)
    return result


def _backward_activation(phi: Activation, c: Floats, trace: Trace) -> Floats:
    """Carry columns c (n, K, d + 2, width) from the slots of φ(z) to those of z.

    To the derivatives j and the Laplacian comes `φ′ c_j + 2 φ″ ∂_j z c_Δ` and `φ′ c_Δ`; to the value, on which φ′ and
    φ″ depend too, `φ′ c₀ + φ″ (Σ_j ∂_j z c_j + Δz c_Δ) + φ‴ Σ_j (∂_j z)² c_Δ`.
    """
    z, value = trace.preactivation, trace.output[:, 0]
    slope, (bend, third) = phi.derivative(z[:, 0], value), phi.higher_derivatives(z[:, 0], value)
    first = z[:, 1:-1]
    result = slope[:, None, None] * c
    result[:, :, 1:-1] += 2 * (bend[:, None] * first)[:, None] * c[:, :, -1:]
    result[:, :, 0] += bend[:, None] * (z[:, None, 1:] * c[:, :, 1:]).sum(axis=2)
    result[:, :, 0] += (third * (first**2).sum(axis=1))[:, None] * c[:, :, -1]
    return result
