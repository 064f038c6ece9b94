"""Laws and errors of `LayerStatistics`."""

import dataclasses

import array_api_strict
import numpy as np
import pytest

from kronlin.curvature.statistics import LayerStatistics

CPU, OTHER = array_api_strict.Device("CPU_DEVICE"), array_api_strict.Device("device1")


def strict(x, device=CPU):
    return array_api_strict.asarray(x, device=device)


@pytest.mark.parametrize(
    ("inputs", "output_gradients", "sizes"),
    [
        ((4, 3), (4, 2), (4, 1, 1, 2, 3)),
        ((4, 3), (4, 5, 2), (4, 1, 5, 2, 3)),
        ((4, 6, 3), (4, 6, 2), (4, 6, 1, 2, 3)),
        ((4, 6, 3), (4, 6, 5, 2), (4, 6, 5, 2, 3)),
        ((1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1, 1)),
    ],
)
def test_every_accepted_shape_becomes_the_full_one(lib, inputs, output_gradients, sizes):
    n, S, K, d_out, d_in = sizes
    a = np.arange(np.prod(inputs), dtype=float).reshape(inputs)
    g = np.arange(np.prod(output_gradients), dtype=float).reshape(output_gradients)
    layer = LayerStatistics(lib.asarray(a), lib.asarray(g))
    assert (layer.n, layer.S, layer.K, layer.d_out, layer.d_in) == sizes
    assert layer.parameters == d_out * d_in
    assert layer.inputs.shape == (n, S, d_in)
    assert layer.output_gradients.shape == (n, S, K, d_out)
    assert lib.owns(layer.inputs)
    assert lib.owns(layer.output_gradients)
    # Only axes of length one are added: the entries stay in their order.
    np.testing.assert_array_equal(lib.numpy(layer.inputs).ravel(), a.ravel())
    np.testing.assert_array_equal(lib.numpy(layer.output_gradients).ravel(), g.ravel())


def test_columns_and_positions_are_not_confused():
    g = np.arange(4 * 5 * 2, dtype=float).reshape(4, 5, 2)
    as_columns = LayerStatistics(np.ones((4, 3)), g)
    as_positions = LayerStatistics(np.ones((4, 5, 3)), g)
    np.testing.assert_array_equal(as_columns.output_gradients, g[:, None, :, :])
    np.testing.assert_array_equal(as_positions.output_gradients, g[:, :, None, :])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_dtype_is_kept(lib, dtype):
    layer = LayerStatistics(lib.asarray(np.ones((4, 3)), dtype), lib.asarray(np.ones((4, 2)), dtype))
    assert layer.dtype == layer.inputs.dtype == layer.output_gradients.dtype == getattr(lib.xp, dtype)


def test_nothing_is_copied():
    a, g = np.ones((4, 3)), np.ones((4, 2))
    layer = LayerStatistics(a, g)
    assert np.shares_memory(layer.inputs, a)
    assert np.shares_memory(layer.output_gradients, g)


def test_device_is_kept():
    layer = LayerStatistics(strict(np.ones((4, 3)), OTHER), strict(np.ones((4, 2)), OTHER))
    assert layer.device == layer.inputs.device == layer.output_gradients.device == OTHER
    assert LayerStatistics(np.ones((4, 3)), np.ones((4, 2))).device == "cpu"


def test_it_is_immutable():
    layer = LayerStatistics(np.ones((4, 3)), np.ones((4, 2)))
    for name in ("inputs", "output_gradients", "name"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(layer, name, None)


def test_its_parts_build_the_same_again():
    layer = LayerStatistics(np.ones((4, 3)), np.ones((4, 5, 2)), name="first")
    again = dataclasses.replace(layer, name="second")
    assert again.name == "second"
    assert again.output_gradients.shape == layer.output_gradients.shape


def test_repr_is_one_line():
    layer = LayerStatistics(np.ones((4, 3)), np.ones((4, 5, 2)), name="first")
    assert repr(layer) == "LayerStatistics('first', n=4, S=1, K=5, d_out=2, d_in=3, numpy float64)"
    unnamed = LayerStatistics(strict(np.ones((4, 6, 3))), strict(np.ones((4, 6, 2))))
    assert repr(unnamed).startswith("LayerStatistics(n=4, S=6, K=1, d_out=2, d_in=3, array_api_strict float64")


@pytest.mark.parametrize(
    ("inputs", "output_gradients", "message"),
    [
        ((3,), (3,), r"layer 'l'.*\(3,\).*inputs need 2 dimensions"),
        ((4, 6, 3, 1), (4, 6, 2), r"\(4, 6, 3, 1\).*inputs need 2 dimensions"),
        ((4, 3), (4,), r"\(4,\): beside 2-d inputs.*\(n, d_out\) or \(n, K, d_out\)"),
        ((4, 3), (4, 6, 5, 2), r"\(4, 6, 5, 2\): beside 2-d inputs"),
        ((4, 6, 3), (4, 2), r"beside 3-d inputs.*\(n, S, d_out\) or \(n, S, K, d_out\)"),
        ((4, 3), (5, 2), r"\(4, 3\) and output_gradients \(5, 2\): 4 examples on one side, 5 on the other"),
        ((4, 6, 3), (4, 7, 2), r"S = 6 positions on one side, 7 on the other"),
        ((0, 3), (0, 2), "n = 0"),
        ((4, 0), (4, 2), "d_in = 0"),
        ((4, 3), (4, 0), "d_out = 0"),
        ((4, 3), (4, 0, 2), "K = 0"),
        ((4, 0, 3), (4, 0, 2), "S = 0"),
        ((4, 6, 3), (4, 6, 0, 2), "K = 0"),
    ],
)
def test_shapes_that_do_not_belong_together(inputs, output_gradients, message):
    with pytest.raises(ValueError, match=message):
        LayerStatistics(np.ones(inputs), np.ones(output_gradients), name="l")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["inputs", "output_gradients"])
def test_non_finite_entries(lib, bad, where):
    parts = {"inputs": np.ones((4, 3)), "output_gradients": np.ones((4, 5, 2))}
    parts[where][1].flat[1] = bad
    parts[where][3].flat[0] = bad
    with pytest.raises(ValueError, match=f"{where} of layer 'l' hold NaN or Inf in 2 of 4 .* first in example 1"):
        LayerStatistics(**{key: lib.asarray(value) for key, value in parts.items()}, name="l")


def test_non_finite_complex_entries():
    with pytest.raises(ValueError, match=r"NaN or Inf in 1 of 4"):
        LayerStatistics(np.ones((4, 3), complex), np.asarray([[1], [1], [1j * np.inf], [1]]))


@pytest.mark.parametrize("where", ["inputs", "output_gradients"])
@pytest.mark.parametrize("other", [[[1.0, 2.0]], 1.0, None, "x"], ids=["list", "float", "None", "str"])
def test_what_is_no_array(where, other):
    parts = {"inputs": np.ones((1, 2)), "output_gradients": np.ones((1, 2))} | {where: other}
    with pytest.raises(ValueError, match=f"{where} of this layer must be an array, got {type(other).__name__}"):
        LayerStatistics(**parts)


@pytest.mark.parametrize("where", ["inputs", "output_gradients"])
@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.float16])
def test_dtypes_without_curvature(where, dtype):
    parts = {"inputs": np.ones((4, 3)), "output_gradients": np.ones((4, 2))}
    parts[where] = parts[where].astype(dtype)
    with pytest.raises(ValueError, match=f"{where} of this layer have dtype {np.dtype(dtype)}.*astype"):
        LayerStatistics(**parts)


def test_mixed_dtypes_devices_and_libraries():
    a, g = np.ones((4, 3)), np.ones((4, 2))
    with pytest.raises(ValueError, match="layer 'l' are numpy float64, output_gradients numpy float32"):
        LayerStatistics(a, g.astype(np.float32), name="l")
    with pytest.raises(ValueError, match="numpy float64, output_gradients numpy complex128"):
        LayerStatistics(a, g.astype(complex))
    with pytest.raises(ValueError, match="numpy float64, output_gradients array_api_strict float64"):
        LayerStatistics(a, strict(g))
    with pytest.raises(ValueError, match="device1"):
        LayerStatistics(strict(a), strict(g, OTHER))
