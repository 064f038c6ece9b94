"""Question: what does `collect` of the JAX source cost, beside a compiled loss and gradient of the same net."""

import os
import time

import jax
import numpy as np
from harness import report, rows_by, sampled

from kronlin.sources import jax as source

WIDTHS = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
BATCH = 512
PLAIN = "loss and gradient"


def autoencoder() -> list[dict[str, jax.Array]]:
    """The parameters of the net of the digits, random."""
    rng, layers = np.random.default_rng(0), []
    for d_in, d_out in zip(WIDTHS, WIDTHS[1:], strict=False):
        kernel = rng.standard_normal((d_in, d_out), np.float32) / np.float32(np.sqrt(d_in))
        layers.append({"kernel": jax.numpy.asarray(kernel), "bias": jax.numpy.zeros(d_out, np.float32)})
    return layers


def network(parameters: list[dict[str, jax.Array]], x: jax.Array) -> jax.Array:
    """The logits of the pixels."""
    *hidden, last = parameters
    for layer in hidden:
        x = jax.nn.relu(x @ layer["kernel"] + layer["bias"])
    return x @ last["kernel"] + last["bias"]


def loss(parameters: list[dict[str, jax.Array]], x: jax.Array) -> jax.Array:
    """The cross-entropy of the pixels, summed, and its mean over the examples."""
    f, softplus = network(parameters, x), jax.nn.softplus
    return (x * softplus(-f) + (1 - x) * softplus(f)).sum() / len(x)


def main() -> None:
    """Measure in turn what was compiled before, on one processor and in its time.

    On several the work is shared out by chance, and threads that wait for each other count as busy.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX looks how many there are
    parameters = autoencoder()
    x = jax.numpy.asarray(np.random.default_rng(1).random((BATCH, WIDTHS[0]), np.float32))
    plain = jax.jit(jax.value_and_grad(loss))
    functions = {PLAIN: lambda: jax.block_until_ready(plain(parameters, x))}

    def collected(fisher: str, check: bool) -> object:
        layers, gradient, _ = source.collect((network, parameters), "bernoulli", x, x, fisher, check=check)
        return jax.block_until_ready(([(layer.inputs, layer.output_gradients) for layer in layers], gradient))

    for fisher in ("empirical", "mc"):
        for check in (True, False):
            name = f"collect, {fisher}" + ("" if check else ", check=False")
            functions[name] = lambda f=fisher, c=check: collected(f, c)
    report("jax_source", rows_by(sampled(functions, clock=time.process_time), PLAIN))


if __name__ == "__main__":
    main()
