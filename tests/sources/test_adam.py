"""Laws and errors of the short training."""

import numpy as np
import pytest

from kronlin.sources._adam import adam


def bowl(x):
    return float(x @ x) / 2, x


def test_first_step_has_the_length_of_the_learning_rate():
    start = np.asarray([3.0, -0.01, 500.0])
    np.testing.assert_allclose(adam(bowl, start, 1, 0.1), start - 0.1 * np.sign(start), rtol=1e-5)


def test_second_step_by_hand():
    # Gradients 1 and 1/2 in turn: m̂ = (0.9 · 0.1 · 1 + 0.1 · 0.5) / (1 - 0.81), v̂ likewise with 0.999.
    gradients = iter([np.asarray([1.0]), np.asarray([0.5])])
    result = adam(lambda x: (0.0, next(gradients)), np.zeros(1), 2, 1.0)
    m = (0.9 * 0.1 * 1 + 0.1 * 0.5) / (1 - 0.9**2)
    v = (0.999 * 0.001 * 1 + 0.001 * 0.25) / (1 - 0.999**2)
    np.testing.assert_allclose(result, [-1 / (1 + 1e-8) - m / (np.sqrt(v) + 1e-8)], rtol=1e-12)


def test_it_reaches_a_minimum_and_is_deterministic():
    start = np.asarray([1.0, -2.0])
    first, second = adam(bowl, start, 500, 0.05), adam(bowl, start, 500, 0.05)
    assert abs(first).max() < 1e-3
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(start, [1.0, -2.0])


def test_no_steps_leave_the_start():
    np.testing.assert_array_equal(adam(bowl, np.ones(2), 0, 0.1), np.ones(2))


def test_float32_stays():
    assert adam(bowl, np.ones(2, np.float32), 3, 0.1).dtype == np.float32


def test_callback_sees_every_step_and_the_value_before_it():
    seen = []
    adam(bowl, np.asarray([2.0]), 3, 0.1, lambda t, value: seen.append((t, value)))
    assert [t for t, _ in seen] == [1, 2, 3]
    assert seen[0][1] == 2.0
    assert seen[0][1] > seen[1][1] > seen[2][1]


@pytest.mark.parametrize("learning_rate", [0, -1.0, np.nan, np.inf])
def test_learning_rate_must_be_positive_and_finite(learning_rate):
    with pytest.raises(ValueError, match=r"learning_rate = .* must be positive and finite"):
        adam(bowl, np.ones(2), 1, learning_rate)


def test_steps_must_not_be_negative():
    with pytest.raises(ValueError, match="steps = -1 is negative"):
        adam(bowl, np.ones(2), -1, 0.1)


@pytest.mark.parametrize("result", [(np.nan, np.ones(2)), (1.0, np.asarray([1.0, np.inf]))])
def test_divergence_names_the_step_and_the_learning_rate(result):
    with pytest.raises(ValueError, match=r"diverged: at step 1 of 7 .* learning_rate below 0\.3"):
        adam(lambda x: result, np.ones(2), 7, 0.3)
