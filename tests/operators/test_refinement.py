"""Refinement: a rough inverse gives a good solution, and a step that does not help is not taken."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.operators.refinement import refined
from tests.matrices import each_stack, eps, normal, positive, wide


@each_stack()
def test_digits_are_won_back(lib, dtype, batch):
    a = positive(4, dtype, batch=batch)
    inverse = lib.asarray((np.linalg.inv(wide(a)) * (1 + 1e-3)).astype(dtype))
    x = normal((*batch, 4, 2), dtype)
    b = lib.asarray((wide(a) @ wide(x)).astype(dtype))
    got = refined(kl.Dense._make(lib.asarray(a)), lambda y: inverse @ y, b, steps=6)
    assert lib.owns(got)
    np.testing.assert_allclose(lib.numpy(got), x, atol=300 * eps(dtype))


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_each_step_gains_what_the_inverse_is_worth(steps):
    a, b = positive(4), normal((4, 1))
    x = refined(kl.Dense(a), lambda y: np.linalg.solve(a, y) * (1 + 1e-2), b, steps)
    error = np.linalg.norm(x - np.linalg.solve(a, b)) / np.linalg.norm(np.linalg.solve(a, b))
    assert error == pytest.approx(1e-2 ** (steps + 1), rel=1e-3)


def test_a_step_that_makes_it_worse_is_not_taken_and_columns_are_on_their_own():
    a = np.diag([1.0, 1.0])

    def solve(y):
        return y * np.array([[1.001, 3.0]])

    x = refined(kl.Dense(a), solve, np.ones((2, 2)))
    np.testing.assert_allclose(x, [[1.0, 3.0], [1.0, 3.0]], atol=1e-5)


def test_no_product_is_spent_where_no_step_is_wanted():
    nothing = kl.Function(lambda x: 1 / 0, shape=(2, 2), dtype="float64")
    np.testing.assert_array_equal(refined(nothing, lambda y: 2 * y, np.ones((2, 1)), steps=0), 2 * np.ones((2, 1)))
