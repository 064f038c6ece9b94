"""Nets of PyTorch and of JAX with the shapes of the workloads, on random data, and their Fisher matrices by autodiff.

A layer's bias is the last column of its weight in kronlin's vectors and in JAX's here; PyTorch has its own order, and
`layout` leads from one to the other.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

import kronlin as kl
from kronlin.sources import pytorch
from speed.peers import Call, tensor
from speed.workloads import KINDS, NETS


@dataclass(frozen=True)
class Net:
    """Net a with tanh, or b, which is linear: orthogonal weights, n normal examples, and labels with normal errors.

    The loss is PyTorch's MSELoss, the mean of (f - y)² over examples and outputs. The errors, and so the gradients, of
    the examples differ in size by up to `spread`.
    """

    name: str
    dtype: str
    n: int
    spread: float = 1.0

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """[W b] of each layer, W with orthonormal rows or columns and b = 0."""
        random, found = np.random.default_rng(0), []
        for outputs, inputs in NETS[self.name]:
            square = random.standard_normal((max(outputs, inputs - 1), min(outputs, inputs - 1)))
            q = np.linalg.qr(square)[0]
            found.append(np.concatenate([q if q.shape[0] == outputs else q.T, np.zeros((outputs, 1))], axis=1))
        return [w.astype(KINDS[self.dtype]) for w in found]

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels."""
        random = np.random.default_rng(1)
        sizes = NETS[self.name][0][1] - 1, NETS[self.name][-1][0]
        x, errors = (random.standard_normal((self.n, size)).astype(KINDS[self.dtype]) for size in sizes)
        scale = (self.spread ** -np.linspace(0, 1, self.n))[:, None].astype(x.dtype)
        return x, self._outputs(np, self.weights, x) + scale * errors

    def _outputs(self, xp: Any, weights: Any, h: Any) -> Any:
        """The net, on arrays of NumPy or JAX."""
        for place, weight in enumerate(weights):
            h = h @ weight[:, :-1].T + weight[:, -1]
            h = h if self.name == "b" or place == len(weights) - 1 else xp.tanh(h)
        return h

    @cached_property
    def torch(self) -> tuple[Any, Any, Any, Any]:
        """The model, the loss, inputs and labels for PyTorch."""
        nn, model = import_module("torch").nn, []
        for weight in self.weights:
            linear = nn.Linear(weight.shape[1] - 1, weight.shape[0], dtype=tensor(weight).dtype)
            linear.weight.data, linear.bias.data = tensor(weight[:, :-1].copy()), tensor(weight[:, -1].copy())
            model += [linear] if self.name == "b" else [linear, nn.Tanh()]
        x, y = map(tensor, self.data)
        return nn.Sequential(*(model if self.name == "b" else model[:-1])), nn.MSELoss(), x, y

    @property
    def layout(self) -> Any:
        """The permutation of PyTorch's order into kronlin's."""
        return pytorch.layout(self.torch[0], self.collect()).operator(like=self.torch[2])

    def collect(self) -> Any:
        """The gradients of the examples, from a new pass."""
        return pytorch.collect(*self.torch, fisher="empirical")[0]

    def collected(self) -> Any:
        """The Fisher matrix of the gradients of the examples, as an operator on tensors, from a new pass."""
        return self.factor * kl.fisher(self.collect())

    def stored(self) -> Any:
        """The same as an operator on arrays."""
        return self.collected().to("numpy")

    @property
    def factor(self) -> int:
        """What curvlinops' empirical Fisher is in units of kronlin's: it counts the outputs of an example as terms."""
        return int(self.data[1].shape[1])

    def curvlinops(self, kind: str) -> Any:
        """An operator of curvlinops."""
        model, loss, x, y = self.torch
        make = getattr(import_module("curvlinops"), kind)
        return make(model, loss, list(model.parameters()), [(x, y)], check_deterministic=False)

    def jax(self, matrix: str, v: np.ndarray) -> Call:
        """A compiled product by forward and reverse differentiation: with the "GGN", or the "empirical" Fisher."""
        jax = import_module("jax")
        if self.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        jnp, (x, y), count = jax.numpy, self.data, self.factor
        weights = [jnp.asarray(w) for w in self.weights]

        def outputs(weights: Any) -> Any:
            return self._outputs(jnp, weights, x)

        def losses(weights: Any) -> Any:
            return ((outputs(weights) - y) ** 2).sum(axis=1)

        inner, scale = (losses, 1.0) if matrix == "empirical" else (outputs, 2.0)

        def product(v: Any) -> Any:
            cuts = np.cumsum([w.size for w in self.weights])[:-1]
            direction = [part.reshape(w.shape) for part, w in zip(jnp.split(v, cuts), weights, strict=True)]
            _, forward = jax.jvp(inner, (weights,), (direction,))
            (back,) = jax.vjp(inner, weights)[1](forward * (scale / (self.n * count)))
            return jnp.concatenate([part.ravel() for part in back])

        compiled = jax.jit(product if v.ndim == 1 else jax.vmap(product, in_axes=1, out_axes=1))
        given = jnp.asarray(v)
        return lambda: compiled(given).block_until_ready()
