"""The state of K-BFGS as arrays and back."""

import numpy as np
import pytest

from kronlin.curvature import KBFGSFactors
from kronlin.curvature._kbfgs_state import factors_of, state_arrays
from tests.libraries import NUMPY
from tests.nets import random_layers, tiny_layers


def factors(lib=NUMPY, dtype="float64"):
    """Two layers whose counts are all different."""
    return tuple(
        KBFGSFactors.start(layer, 0.1)._replace(skipped=(1 + 4 * j, 2 + 4 * j), resets=(3 + 4 * j, 4 + 4 * j))
        for j, layer in enumerate(tiny_layers(lib, dtype))
    )


def test_every_library(lib):
    given = factors(lib, "float32")
    again, updates = factors_of(state_arrays(given, 9))
    assert updates == 9
    for one, other in zip(again, given, strict=True):
        assert all(x is y for x, y in zip(one[:5], other[:5], strict=True))
        assert one[5:] == other[5:]


def test_names():
    arrays = state_arrays(factors(), 9)
    assert list(arrays) == ["counts", *(f"{j}.{name}" for j in range(2) for name in ("A", "H_a", "H_g", "s", "y"))]
    np.testing.assert_array_equal(arrays["counts"], [[9, 2, 1, 2, 3, 4], [9, 2, 5, 6, 7, 8]])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"counts": None}, "there is no 'counts' among 0.A, .*: this is no state_dict of KBFGS"),
        ({"1.H_g": None}, "there is no '1.H_g' among counts, 0.A"),
        ({"counts": np.zeros((0, 6), int)}, "the layers of this state differ .*, or there is none"),
        ({"0.H_g": np.eye(2)}, r"'0\.H_g' of this state has shape \(2, 2\) and is numpy float64, but shape \(3, 3\)"),
        ({"0.s": np.ones(3, "float32")}, "'0.s' of this state .* numpy float32, but .* numpy float64 are due"),
        ({"0.y": np.full(3, np.nan)}, "'0.y' of this state has an entry that is NaN or infinite"),
    ],
)
def test_bad_states(change, match):
    arrays = {**state_arrays(factors(), 9), **change}
    with pytest.raises(ValueError, match=match):
        factors_of({name: x for name, x in arrays.items() if x is not None})


def test_layers_of_two_kinds():
    one, other = (
        KBFGSFactors.start(random_layers(np.random.default_rng(0), 3, 1, [(3, 2)], dtype=dtype)[0], 0.1)
        for dtype in ("float32", "float64")
    )
    with pytest.raises(ValueError, match="the layers of this state differ in library, dtype or device"):
        factors_of(state_arrays((one, other), 9))
