"""Nets for tests: the reference nets of tests/data, random layers, and their Fisher matrices by definition."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from kronlin.curvature import LayerStatistics
from kronlin.sources.numpy_mlp import MLP, collect
from tests.libraries import NUMPY, ArrayLibrary
from tests.matrices import eps

NETS = ("mlp_tanh_mse_bias", "deep_linear_mse_bias", "seq_linear_meanreduce_mse")
DAMPINGS = ("1e-1", "1e-3")
NET = pytest.mark.parametrize("name", NETS)


@cache
def reference(name: str) -> dict[str, np.ndarray]:
    """The arrays of one reference net."""
    with np.load(Path(__file__).parent / "data" / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


def layers_of(
    data: dict[str, np.ndarray], columns: str = "g2", lib: ArrayLibrary = NUMPY, dtype: str | None = None
) -> list[LayerStatistics]:
    """What the layers of a reference net hand over; `columns` is "g2", "ge" or "gmc"."""
    return [
        LayerStatistics(*(lib.asarray(data[f"l{j}_{key}"], dtype) for key in ("a", columns)), name=f"l{j}")
        for j in range(int(data["n_layers"]))
    ]


def random_layers(
    rng: np.random.Generator,
    n: int,
    K: int,
    sizes: Sequence[tuple[int, int]],
    S: Sequence[int] | int = 1,
    lib: ArrayLibrary = NUMPY,
    dtype: str = "float64",
) -> list[LayerStatistics]:
    """Layers of sizes (d_out, d_in) with normal entries."""
    positions = [S] * len(sizes) if isinstance(S, int) else S

    def normal(*shape: int) -> np.ndarray:
        x = rng.standard_normal(shape)
        return x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x

    return [
        LayerStatistics(lib.asarray(normal(n, s, d_in), dtype), lib.asarray(normal(n, s, K, d_out), dtype))
        for s, (d_out, d_in) in zip(positions, sizes, strict=True)
    ]


def tiny_layers(lib: ArrayLibrary, dtype: str = "float64") -> list[LayerStatistics]:
    """Two equal layers with shared weights: every library sees these few shapes, which keeps compiling short."""
    return random_layers(np.random.default_rng(0), 3, 2, [(3, 2), (3, 2)], 2, lib, dtype)


@st.composite
def layer_lists(draw, shared: bool = True, columns: bool = True) -> list[LayerStatistics]:
    """A few small layers of one net; `shared`: with positions, `columns`: with more than one column."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3))
    S = draw(st.lists(st.integers(1, 3 if shared else 1), min_size=len(sizes), max_size=len(sizes)))
    return random_layers(rng, draw(st.integers(1, 5)), draw(st.integers(1, 3 if columns else 1)), sizes, S)


def root_by_definition(layer: LayerStatistics, lib: ArrayLibrary = NUMPY) -> np.ndarray:
    """(p_l, n K), column (i, k) being Σ_s kron(g_isk, a_is), one at a time."""
    a, g = lib.numpy(layer.inputs), lib.numpy(layer.output_gradients)
    return np.stack(
        [
            sum(np.kron(g[i, s, k], a[i, s]) for s in range(a.shape[1]))
            for i in range(a.shape[0])
            for k in range(g.shape[2])
        ],
        axis=1,
    )


def fisher_by_definition(layers: Sequence[LayerStatistics], lib: ArrayLibrary = NUMPY) -> np.ndarray:
    """(1/n) Σ_ik u_ik u_ikᴴ over the columns of the whole net."""
    U = np.concatenate([root_by_definition(layer, lib) for layer in layers])
    return U @ U.conj().T / layers[0].n


def mlp_layers(
    widths: Sequence[int] = (4, 5, 4, 3), loss: str = "softmax", n: int = 10, seed: int = 0, **options
) -> tuple[list[LayerStatistics], np.ndarray]:
    """The layers and the gradient of a random multilayer perceptron on random data."""
    fisher = options.pop("fisher", "type-2")
    rng = np.random.default_rng(seed)
    model = MLP(widths, seed=seed, **options)
    model = model.with_parameters(model.parameters + 0.3 * rng.standard_normal(model.parameters.shape))
    x = rng.standard_normal((n, widths[0]))
    y = rng.integers(widths[-1], size=n) if loss == "softmax" else rng.standard_normal((n, widths[-1]))
    layers, gradient, _ = collect(model, loss, x, y, fisher=fisher, seed=seed)
    return list(layers), gradient


def close(found: np.ndarray, wanted: np.ndarray, tolerance: float = 1e-12) -> None:
    """Assert that the largest error is below `tolerance` times the largest entry."""
    assert found.shape == wanted.shape
    scale = max(np.abs(wanted).max(initial=0.0), np.finfo(float).tiny)
    error = np.abs(found - wanted).max(initial=0.0)
    assert error <= tolerance * scale, f"error {error:.2e} beside entries up to {scale:.2e}"


def check_reference_step(damped: Any, data: dict[str, np.ndarray], key: str) -> None:
    """Assert that a damped operator takes the gradient to the stored step, by `solve` and by `inverse`."""
    tolerance = 1e-12 + 1e-14 * np.linalg.cond(damped.to_dense())
    close(damped.solve(data["grad"]), data[key], tolerance)
    close(damped.inverse() @ data["grad"], data[key], tolerance)


def check_on_library(build: Callable[[list[LayerStatistics]], Any], lib: ArrayLibrary, dtype: str) -> None:
    """Assert that what is built from the tiny layers keeps library and dtype, and multiplies as on NumPy."""
    K, truth, x = build(tiny_layers(lib, dtype)), build(tiny_layers(NUMPY)), np.arange(12.0)
    y = K @ lib.asarray(x, dtype)
    assert lib.owns(y)
    assert y.dtype == getattr(lib.xp, dtype)
    close(lib.numpy(y), truth @ x, 100 * eps(dtype))
