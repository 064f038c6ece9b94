"""ParameterLayout: to the vector and back, as functions and as an operator, and errors that say what to declare."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.testing import check_operator
from tests.libraries import NUMPY, fast
from tests.matrices import each_dtype, normal
from tests.nets import close, random_layers

SHAPES = {
    "conv.bias": (2,),
    "conv.kernel": (2, 1, 3, 2),
    "norm.scale": (3,),
    "dense.kernel": (2, 2),
    "offset": (),
    "dense.bias": (2,),
}
LAYERS = [("conv.kernel", "conv.bias"), ("dense.kernel", "dense.bias")]
IN_OUT = {"conv.kernel": "HWIO", "dense.kernel": "in-out"}
OTHERS = pytest.mark.parametrize("others", ["append", "omit"])


def arrays_of(shapes, lib=NUMPY, dtype="float64", more=()):
    """Normal arrays of these shapes, with their own seeds."""
    return {
        name: lib.asarray(normal((*shape, *more), dtype, seed=seed))
        for seed, (name, shape) in enumerate(shapes.items())
    }


def flat(arrays):
    """What a framework concatenates."""
    return np.concatenate([array.reshape(-1) for array in arrays.values()])


def expected(arrays, others):
    """The vector of the net above, spelled out."""
    kernel = arrays["conv.kernel"].transpose(3, 2, 0, 1).reshape(2, -1)
    parts = [np.c_[kernel, arrays["conv.bias"]], np.c_[arrays["dense.kernel"].T, arrays["dense.bias"]]]
    if others == "append":
        parts += [arrays["norm.scale"], arrays["offset"]]
    return np.concatenate([np.ravel(part) for part in parts])


@each_dtype()
@OTHERS
def test_every_library(lib, dtype, others):
    layout = kl.ParameterLayout(SHAPES, LAYERS, order=IN_OUT, others=others)
    plain, arrays = arrays_of(SHAPES, NUMPY, dtype), arrays_of(SHAPES, lib, dtype)
    vector = layout.vector(arrays)
    assert lib.owns(vector)
    assert vector.dtype == arrays["offset"].dtype
    np.testing.assert_array_equal(lib.numpy(vector), expected(plain, others))
    back = layout.arrays(vector)
    assert (
        list(back) == list(layout.names) == [name for name in SHAPES if others == "append" or name not in layout.others]
    )
    for name, array in back.items():
        assert lib.owns(array)
        assert array.dtype == arrays[name].dtype
        np.testing.assert_array_equal(lib.numpy(array), plain[name])
    P = layout.operator(like=vector)
    assert P.kind == kl.Diagonal(vector).kind
    np.testing.assert_array_equal(lib.numpy(P @ lib.asarray(flat(plain))), lib.numpy(vector))


@given(st.data())
def test_round_trip_of_any_net(data):
    """Vectors, blocks and the operator, in whatever order the names and layers come."""
    lib, more = data.draw(st.sampled_from(fast())), data.draw(st.sampled_from([(), (1,), (3,)]))
    shapes, layers, order = {}, [], {}
    for number in range(data.draw(st.integers(1, 3))):
        letters = data.draw(st.sampled_from(["OI", "IO", "OIHW", "HWIO", "IOHW", "IOO", "O", "I"]))
        shape = tuple(data.draw(st.integers(1, 3)) for _ in letters)
        kernel, bias = f"w{number}", data.draw(st.sampled_from([None, f"b{number}"]))
        shapes[kernel], order[kernel] = shape, letters
        if bias:
            shapes[bias] = tuple(length for length, letter in zip(shape, letters, strict=True) if letter == "O")
        layers.append((kernel, bias) if bias else kernel)
    for number in range(data.draw(st.integers(0, 2))):
        shapes[f"other{number}"] = (2,) * number
    shapes = {name: shapes[name] for name in data.draw(st.permutations(list(shapes)))}
    others = data.draw(st.sampled_from(["append", "omit"]))
    layout = kl.ParameterLayout(shapes, layers, order=order, others=others)
    arrays, plain = arrays_of(shapes, lib, more=more), arrays_of(shapes, more=more)
    vector = layout.vector(arrays)
    assert vector.shape == (layout.size, *more)
    for name, array in layout.arrays(vector).items():
        np.testing.assert_array_equal(lib.numpy(array), plain[name])
    whole = np.concatenate([array.reshape(-1, *more) for array in plain.values()])
    P = layout.operator(like=vector)
    assert type(P) is (kl.Permutation if layout.size == len(whole) else kl.Selection)
    np.testing.assert_array_equal(lib.numpy(P @ lib.asarray(whole)), lib.numpy(vector))
    kept = {name: array if name in layout.names else 0 * array for name, array in plain.items()}
    back = np.concatenate([array.reshape(-1, *more) for array in kept.values()])
    np.testing.assert_array_equal(lib.numpy(P.H @ vector), back)


def test_operator_is_unitary():
    P = kl.ParameterLayout(SHAPES, LAYERS, order=IN_OUT, others="append").operator(dtype="float64")
    check_operator(P)
    for product in (P @ P.H, P.H @ P):
        assert type(product) is kl.Identity
    assert P.inverse() is P.H
    S = kl.ParameterLayout(SHAPES, LAYERS, order=IN_OUT, others="omit").operator(dtype="float64")
    assert type(S @ S.H) is kl.Identity


def test_kfac_in_the_order_of_the_framework():
    """Pᴴ K P acts on the arrays as stored, and its damped inverse is an expression too."""
    rng = np.random.default_rng(0)
    K = kl.kfac(random_layers(rng, 5, 2, [(2, 7), (2, 3)])).damped(0.1)
    shapes = {name: shape for name, shape in SHAPES.items() if name not in ("norm.scale", "offset")}
    layout = kl.ParameterLayout(shapes, LAYERS, order=IN_OUT)
    P, gradient = layout.operator(dtype="float64"), arrays_of(shapes)
    F = P.H @ K @ P
    assert F.is_psd is True
    assert F.inverse().is_pd is True
    step = layout.arrays(K.solve(layout.vector(gradient)))
    close(F.inverse() @ flat(gradient), flat(step))
    close(F.solve(flat(gradient)), flat(step))


def test_what_is_left_out_is_named():
    layout = kl.ParameterLayout(SHAPES, LAYERS, order=IN_OUT, others="omit")
    assert layout.others == ("norm.scale", "offset")
    assert repr(layout) == "ParameterLayout(2×7, 2×3, 20 parameters)"
    arrays = arrays_of(SHAPES)
    del arrays["offset"]
    assert layout.vector(arrays).shape == (layout.size,) == (20,)
    appended = kl.ParameterLayout(SHAPES, LAYERS, order=IN_OUT, others="append")
    assert appended.others == layout.others
    assert repr(appended) == "ParameterLayout(2×7, 2×3 and 2 others, 24 parameters)"
    with pytest.raises(
        ValueError, match=r"'norm.scale', 'offset' belong to no layer: .*others='append'.*others='omit'"
    ):
        kl.ParameterLayout(SHAPES, LAYERS, order=IN_OUT)


def test_order_is_never_guessed():
    """A square kernel fits both orders, and they differ."""
    arrays = {"kernel": normal((3, 3)), "bias": normal(3)}
    out_in, in_out = (kl.ParameterLayout(arrays, [("kernel", "bias")], order=o).vector(arrays) for o in ("OI", "IO"))
    assert not np.allclose(out_in, in_out)
    with pytest.raises(TypeError, match="order"):
        kl.ParameterLayout(arrays, [("kernel", "bias")])


def test_arrays_of_a_layout_are_not_written_to():
    layout = kl.ParameterLayout(SHAPES, LAYERS, order=IN_OUT, others="append")
    arrays = arrays_of(SHAPES)
    before = {name: array.copy() for name, array in arrays.items()}
    vector = layout.vector(arrays)
    vector[:] = 0.0
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("shapes", "layers", "options", "message"),
    [
        ({"w": (2, 2)}, [], {}, "there are no layers"),
        ({"w": (2, 2)}, ["w", "w"], {}, "'w' occur twice in the layers.*a shared weight is one layer"),
        ({"w": (2, 2), "b": (2,)}, [("w", "b"), "b"], {"order": {"w": "OI", "b": "O"}}, "'b' occur twice"),
        ({"w": (2, 0)}, ["w"], {}, r"'w' has shape \(2, 0\), so it holds no parameters"),
        ({"w": (2, 2)}, ["w"], {"others": "drop"}, "unknown others 'drop': choose one of 'refuse', 'append', 'omit'"),
        ({"w": (2, 3), "b": (3,)}, [("w", "b")], {}, "it fits order 'in-out'"),
    ],
)
def test_layouts_that_cannot_be(shapes, layers, options, message):
    with pytest.raises(ValueError, match=message):
        kl.ParameterLayout(shapes, layers, **{"order": "out-in", **options})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": None}, "the arrays lack 'w': the names of the layout are 'w', 'b'"),
        ({"v": np.ones(2)}, "the arrays have 'v', which the layout does not know"),
        ({"w": np.ones((3, 2))}, r"'w' has shape \(3, 2\), where the layout has \(2, 3\) \(it is transposed\)"),
        ({"b": np.ones((2, 1))}, "or all of them one axis more"),
        ({"w": np.ones((2, 3, 4)), "b": np.ones((2, 5))}, r"'b' has shape \(2, 5\)"),
        ({"w": np.ones((2, 3, 4, 1)), "b": np.ones((2, 4, 1))}, "one axis more"),
        ({"b": np.ones(2, "float32")}, "'b' is numpy float32, but 'w' is numpy float64: bring all to one"),
    ],
)
def test_arrays_that_do_not_fit(change, message):
    layout = kl.ParameterLayout({"w": (2, 3), "b": (2,)}, [("w", "b")], order="out-in")
    arrays = {"w": np.ones((2, 3)), "b": np.ones(2), **change}
    with pytest.raises(ValueError, match=message):
        layout.vector({name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize("shape", [(7,), (8, 1, 1), ()])
def test_vectors_that_do_not_fit(shape):
    layout = kl.ParameterLayout({"w": (2, 3), "b": (2,)}, [("w", "b")], order="out-in")
    with pytest.raises(ValueError, match=r"takes a vector \(8,\) or \(8, k\), not"):
        layout.arrays(np.ones(shape))


def test_integers_are_refused():
    layout = kl.ParameterLayout({"w": (2, 3)}, ["w"], order="out-in")
    with pytest.raises(TypeError, match="not int64"):
        layout.vector({"w": np.ones((2, 3), "int64")})
    with pytest.raises(TypeError, match="needs like="):
        layout.operator()
