"""LayerWeight: every entry of a kernel stands where its indices say, in any order of axes."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.curvature.layerweight import LayerWeight


def matrix_by_definition(kernel, letters, bias=None):
    """[W | b] entry by entry: the row counts through the output indices, the column through inputs, then the rest."""

    def place(index, chosen):
        number = 0
        for axis in chosen:
            number = number * kernel.shape[axis] + index[axis]
        return number

    rows = [axis for axis, letter in enumerate(letters) if letter == "O"]
    columns = [axis for axis, letter in enumerate(letters) if letter == "I"]
    columns += [axis for axis, letter in enumerate(letters) if letter not in "OI"]
    d_out = prod(kernel.shape[axis] for axis in rows)
    matrix = np.zeros((d_out, kernel.size // d_out))
    for index in np.ndindex(kernel.shape):
        matrix[place(index, rows), place(index, columns)] = kernel[index]
    return matrix if bias is None else np.c_[matrix, bias.ravel()]


@given(st.data())
def test_any_order_of_axes(data):
    letters = "".join(data.draw(st.lists(st.sampled_from("OIHW"), min_size=1, max_size=5)))
    shape = tuple(data.draw(st.integers(1, 3)) for _ in letters)
    outputs = tuple(length for length, letter in zip(shape, letters, strict=True) if letter == "O")
    more = data.draw(st.sampled_from([(), (1,), (3,)]))
    with_bias = data.draw(st.booleans())
    rng = np.random.default_rng(0)
    arrays = {"w": rng.standard_normal((*shape, *more))}
    if with_bias:
        arrays["b"] = rng.standard_normal((*outputs, *more))
    weight = LayerWeight.of(("w", "b" if with_bias else None), {"w": shape, "b": outputs}, letters)
    vector = weight.vector(arrays)
    for k in np.ndindex(more):
        matrix = matrix_by_definition(arrays["w"][(..., *k)], letters, arrays["b"][(..., *k)] if with_bias else None)
        assert matrix.shape == weight.matrix_shape
        np.testing.assert_array_equal(vector[(..., *k)], matrix.ravel())
    back = weight.arrays(vector)
    assert list(back) == list(weight.names)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize(
    ("order", "letters", "shape"),
    [
        ("out-in", "OI", (2, 3)),
        ("in-out", "IO", (2, 3)),
        ("out-in", "OIHW", (2, 3, 4, 5)),
        ("in-out", "HWIO", (2, 3, 4, 5)),
        ("out-in", "OIW", (2, 3, 4)),
        ("in-out", "DHWIO", (2, 3, 2, 3, 2)),
    ],
)
def test_named_orders(order, letters, shape):
    named, spelled = (LayerWeight.of("w", {"w": shape}, each) for each in (order, letters))
    assert named == spelled
    assert named.matrix_shape[0] == shape[letters.index("O")]


@pytest.mark.parametrize(
    ("layer", "shape", "order", "message"),
    [
        ("w", (3,), "out-in", "'w' of shape .3,. has no two axes.*order 'O'"),
        ("w", (3, 4), "torch", "order 'torch' does not fit kernel 'w'.*'out-in', 'in-out'"),
        ("w", (3, 4), "OIHW", "one capital letter for each of its 2 axes"),
        ("w", (3, 4), "oi", "one capital letter"),
        ("v", (3, 4), "OI", "there is no array 'v', the names are 'w', 'b'"),
        (("w",), (3, 4), "OI", "layer .'w',. is neither the name of a kernel nor a pair"),
        (("w", "c"), (3, 4), "OI", "there is no array 'c'"),
        ("w", (3, 4), {"v": "OI"}, "order says nothing of kernel 'w', only of 'v'"),
        (("w", "b"), (3, 4), "in-out", r"outputs \(4,\) in order 'in-out': it fits order 'out-in', if"),
        (("w", "b"), (4, 3, 5, 5), "out-in", r"outputs \(4,\) in order 'out-in': check the pair"),
        (("w", "b"), (4, 3), "OI", "in order 'OI': check the pair"),
        (("w", "b"), (5, 5), "in-out", "check the pair"),
    ],
)
def test_what_does_not_fit(layer, shape, order, message):
    with pytest.raises(ValueError, match=message):
        LayerWeight.of(layer, {"w": shape, "b": (3,)}, order)
