"""Steps of recurrences on NumPy: the formulas, over pieces and in every order of memory; in place; no NaN spreads."""

import numpy as np
import pytest

from kronlin.arrays import inner_products
from kronlin.arrays._recur import advance, turn

SHAPES = [(5, 1), (5, 3), (0, 2), (4, 0), (70_000, 1), (50_001, 3), (3, 70_000)]
ORDERS = ["CC", "FF", "CF", "FC"]


def block(shape, dtype, order, seed):
    random = np.random.default_rng(seed)
    values = random.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * random.standard_normal(shape)
    return np.asarray(values.astype(dtype), order=order)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("orders", ORDERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_formulas(shape, orders, dtype):
    x, y = (block(shape, dtype, order, seed) for seed, order in enumerate(orders))
    tolerance = 300 * np.finfo(dtype).eps
    np.testing.assert_allclose(inner_products(x, y), np.sum(x.conj() * y, axis=0), atol=tolerance * shape[0] ** 0.5)
    a = np.linspace(-1, 1, shape[1]).astype(x.real.dtype)
    for chosen in (np.ones(shape[1], bool), np.arange(shape[1]) % 3 == 1):
        p, q = x.copy("K"), x.copy("K")
        np.testing.assert_allclose(advance(p, a, y, chosen), np.where(chosen, x + a * y, x), atol=tolerance)
        np.testing.assert_allclose(turn(q, a, y, chosen), np.where(chosen, y + a * x, 0), atol=tolerance)


@pytest.mark.parametrize("function", [advance, turn])
def test_writes_over_its_first_argument_alone(function):
    x, y = block((7, 2), "float32", "C", 0), block((7, 2), "float32", "C", 1)
    before = y.copy()
    assert function(x, np.ones(2, "float32"), y, np.array([True, False])) is x
    assert x.dtype == np.float32
    np.testing.assert_array_equal(y, before)


@pytest.mark.parametrize("orders", ORDERS)
def test_what_is_not_finite_stays_in_columns_that_rest(orders):
    x, y = (block((6, 2), "float64", order, seed) for seed, order in enumerate(orders))
    y[:, 1] = np.nan
    kept, chosen = x.copy(), np.array([True, False])
    with np.errstate(invalid="ignore"):
        advanced, turned = (function(x.copy("K"), np.zeros(2), y, chosen) for function in (advance, turn))
    np.testing.assert_array_equal(advanced, kept)
    np.testing.assert_array_equal(turned, np.stack([y[:, 0], np.zeros(6)], axis=1))


def test_long_sums_keep_their_digits_in_single_precision():
    """Added one by one the last of two million squares would be rounded by the sum of those before."""
    x = np.full((2**21, 2), 0.1, "float32")
    np.testing.assert_allclose(inner_products(x, x), 2**21 * float(x[0, 0]) ** 2, rtol=1e-5)
