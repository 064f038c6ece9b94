"""The networks of `kronlin.sources` once more, naively and on complex numbers: a second opinion on their derivatives.

`∂f/∂t = Im f(t + iε) / ε` has no difference to cancel, so that it is exact to rounding. What is derived here from
Jacobians and loss Hessians never sees a backpropagated column or a root.
"""

from dataclasses import dataclass

import numpy as np

from kronlin.sources.numpy_mlp import MLP, Conv2d, Flatten, Linear, Permute, Reduce

STEP = 1e-30
PHI = {"tanh": np.tanh, "relu": lambda z: z * (z.real > 0), "identity": lambda z: z}


def parts_of(net):
    """What a network was written with; the activations by name."""
    if not isinstance(net, MLP):
        return net.parts
    return [Linear(d, net.bias, layer.activation.name) for d, layer in zip(net.widths[1:], net.layers, strict=True)]


def patches_of(images, part):
    """(n, H′, W′, C k_h k_w), pixel by pixel."""
    (k, m), (s, t), (p, q) = ((x, x) if isinstance(x, int) else x for x in (part.kernel, part.stride, part.padding))
    n, C, H, W = images.shape
    padded = np.zeros((n, C, H + 2 * p, W + 2 * q), images.dtype)
    padded[:, :, p : p + H, q : q + W] = images
    rows, columns = range(0, H + 2 * p - k + 1, s), range(0, W + 2 * q - m + 1, t)
    return np.stack(
        [np.stack([padded[:, :, i : i + k, j : j + m].reshape(n, -1) for j in columns], 1) for i in rows], 1
    )


def evaluate(net, x, parameters, shifts=None):
    """The outputs, and what each weight acted on, (n, S, d_in); `shifts` (n, S, d_out) go to the preactivations."""
    h, seen, start = x, [], 0
    for part in parts_of(net):
        if isinstance(part, str):
            h = PHI[part](h)
        elif isinstance(part, Flatten):
            h = h.reshape(len(h), -1)
        elif isinstance(part, Permute):
            h = np.moveaxis(h, [axis + 1 for axis in part.axes], range(1, h.ndim))
        elif isinstance(part, Reduce):
            axes = tuple(int(axis) + 1 if axis >= 0 else axis for axis in np.atleast_1d(part.axis))
            h = h.mean(axis=axes) if part.how == "mean" else h.sum(axis=axes)
        else:
            a = patches_of(h, part) if isinstance(part, Conv2d) else h
            a = np.concatenate([a, np.ones((*a.shape[:-1], 1))], axis=-1) if part.bias else a
            d_out, d_in = part.channels if isinstance(part, Conv2d) else part.outputs, a.shape[-1]
            W = parameters[start : start + d_out * d_in].reshape(d_out, d_in)
            z = np.einsum("...i,oi->...o", a, W)
            if shifts is not None:
                z = z + shifts[len(seen)].reshape(z.shape)
            seen.append(a.reshape(len(a), -1, d_in))
            h, start = PHI[part.activation](z), start + d_out * d_in
            h = np.moveaxis(h, -1, 1) if isinstance(part, Conv2d) else h
    assert start == len(parameters)
    return h, seen


@dataclass(frozen=True)
class Truth:
    """What is known of a network on a batch without backpropagation; D outputs of an example in one row.

    `J` (n, D, p) by the parameters, `H` (n, D, D) the Hessians and `r` (n, D) the gradients of the loss, `risk` its
    mean; for each layer its `inputs` (n, S, d_in) and `Z` (n, D, S, d_out), the Jacobians by its preactivation.
    """

    J: np.ndarray
    H: np.ndarray
    r: np.ndarray
    risk: float
    inputs: list[np.ndarray]
    Z: list[np.ndarray]

    @property
    def fisher(self):
        """The generalised Gauss-Newton matrix."""
        return np.einsum("nap,nab,nbq->pq", self.J, self.H, self.J) / len(self.J)

    @property
    def columns(self):
        """The gradients of single examples, (n, p)."""
        return np.einsum("nap,na->np", self.J, self.r)

    def kfac(self, layer, sharing, empirical=False):
        """The factors G and A of one layer, from the Jacobians; `empirical`: of the gradients with the given labels."""
        a, Z, n = self.inputs[layer], self.Z[layer], len(self.J)
        H = self.r[:, :, None] * self.r[:, None, :] if empirical else self.H
        if sharing == "reduce":
            a, Z = a.mean(axis=1, keepdims=True), Z.sum(axis=2, keepdims=True)
        G = np.einsum("naso,nab,nbsu->ou", Z, H, Z) / n
        return G, np.einsum("nsi,nsj->ij", a, a) / (n * a.shape[1])


def truth(net, loss, x, y):
    """Differentiate a network by complex steps, one parameter and one preactivation after the other."""
    n, weights = len(x), net.parameters
    f, inputs = evaluate(net, x, weights)
    J = np.stack([_imaginary(evaluate(net, x, weights + 1j * step)[0]) for step in STEP * np.eye(len(weights))], -1)
    shapes = [(n, a.shape[1], len(layer.weight)) for a, layer in zip(inputs, net.layers, strict=True)]
    Z = []
    for j, (_, S, d_out) in enumerate(shapes):
        parts = []
        for step in STEP * np.eye(S * d_out).reshape(-1, S, d_out):
            shifts = [np.zeros(shape, complex) for shape in shapes]
            shifts[j] = shifts[j] + 1j * step
            parts.append(_imaginary(evaluate(net, x, weights, shifts)[0]))
        Z.append(np.stack(parts, axis=-1).reshape(n, -1, S, d_out))
    return Truth(J, *loss_derivatives(loss, f, y), inputs, Z)


def _imaginary(f):
    return f.imag.reshape(len(f), -1) / STEP


def loss_derivatives(loss, f, y):
    """The Hessians (n, D, D), the gradients (n, D) and the mean of a loss; classes lie along the last axis."""
    n, classes = len(f), f.shape[-1]
    rows = f.reshape(n, -1)
    D = rows.shape[1]
    if loss == "mse":
        r = rows - y.reshape(n, D)
        return np.tile(np.eye(D), (n, 1, 1)), r, (r**2).sum() / (2 * n)
    if loss == "bernoulli":
        q, rest, t = 1 / (1 + np.exp(-rows)), 1 / (1 + np.exp(rows)), y.reshape(n, D)
        value = -np.log(np.where(t == 1, q, rest)).sum() / n
        return np.stack([np.diag(v) for v in q * rest]), np.where(t == 1, -rest, q), value
    p = np.exp(f) / np.exp(f).sum(axis=-1, keepdims=True)
    others = p @ (1 - np.eye(classes))  # 1 - p without the cancellation
    hot, H = np.eye(classes)[y], np.zeros((n, D, D))
    for i in range(n):
        pairs = zip(p[i].reshape(-1, classes), others[i].reshape(-1, classes), strict=True)
        for s, (row, rest) in enumerate(pairs):
            place = slice(s * classes, (s + 1) * classes)
            H[i, place, place] = np.where(np.eye(classes) == 1, row * rest, -np.outer(row, row))
    r = np.where(hot == 1, -others, p)
    return H, r.reshape(n, D), -np.log((p * hot).sum(axis=-1)).sum() / n
