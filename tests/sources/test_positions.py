"""A loss at every position is the sum of the losses of its rows."""

import numpy as np
import pytest

from kronlin.sources._losses import LOSSES
from kronlin.sources._positions import PerPosition

EVERY = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


def outputs(loss, shape=(4, 2, 3, 5)):
    rng = np.random.default_rng(0)
    f = rng.standard_normal(shape)
    return f, PerPosition(loss).sample(f, rng), rng


@EVERY
def test_values_and_gradients_are_those_of_the_rows(loss):
    f, y, _ = outputs(loss)
    head = PerPosition(loss)
    values, gradient, targets = head.value(f, y), head.gradient(f, y), head.targets(f, y)
    assert values.shape == (4,)
    for i in range(4):
        rows = [(f[i, s, t][None], y[i, s, t][None]) for s, t in np.ndindex(2, 3)]
        np.testing.assert_allclose(values[i], sum(loss.value(*row)[0] for row in rows), rtol=1e-13)
        np.testing.assert_allclose(gradient[i].reshape(6, 5), [loss.gradient(*row)[0] for row in rows], rtol=1e-13)
        np.testing.assert_array_equal(targets[i].reshape(6, 5), [loss.targets(*row)[0] for row in rows])


@EVERY
def test_one_column_for_each_position_and_output(loss):
    """Column (s, k) is that of row s at position s, and zero at the others."""
    f, _, _ = outputs(loss)
    root, D = PerPosition(loss).root(f), 5
    assert root.shape == (4, 2, 3, D, 6 * D)
    blocks = root.reshape(4, 6, D, 6, D)
    for i, s, t in np.ndindex(4, 6, 6):
        expected = loss.root(f.reshape(4, 6, D)[i, s][None])[0] if s == t else np.zeros((D, D))
        np.testing.assert_array_equal(blocks[i, s, :, t], expected)


@EVERY
def test_without_positions_it_is_the_loss_itself(loss):
    f, y, _ = outputs(loss, (4, 5))
    head = PerPosition(loss)
    np.testing.assert_array_equal(head.value(f, y), loss.value(f, y))
    np.testing.assert_array_equal(head.gradient(f, y), loss.gradient(f, y))
    np.testing.assert_array_equal(head.root(f), loss.root(f))
    drawn = (one.sample(f, np.random.default_rng(1)) for one in (head, loss))
    np.testing.assert_array_equal(*drawn)
    np.testing.assert_array_equal(PerPosition(head).root(f[:, None]), head.root(f)[:, None])


@EVERY
def test_one_position_counts_as_one_row(loss):
    f, y, _ = outputs(loss, (4, 1, 5))
    assert PerPosition(loss).root(f).shape == (4, 1, 5, 5)
    np.testing.assert_array_equal(PerPosition(loss).value(f, y), loss.value(f[:, 0], y[:, 0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@EVERY
def test_dtype_is_kept(loss, dtype):
    f, y, _ = outputs(loss)
    f = f.astype(dtype)
    y = y.astype(dtype) if loss.name == "mse" else y
    head = PerPosition(loss)
    assert {a.dtype for a in (head.value(f, y), head.gradient(f, y), head.root(f))} == {np.dtype(dtype)}


def test_one_hot_labels_at_every_position():
    f, y, _ = outputs(LOSSES["softmax"])
    head = PerPosition(LOSSES["softmax"])
    np.testing.assert_array_equal(head.value(f, np.eye(5)[y]), head.value(f, y))


@pytest.mark.parametrize("y", [np.zeros(4, int), np.zeros((4, 3), int), np.zeros((4, 2, 4), int), [[0, 1]]])
def test_labels_that_do_not_fit(y):
    head, f = PerPosition(LOSSES["softmax"]), np.zeros((4, 2, 3))
    for method in (head.value, head.gradient, head.targets):
        with pytest.raises(ValueError, match=r"'softmax' got labels of shape .* beside outputs of shape \(4, 2, 3\)"):
            method(f, y)
    with pytest.raises(ValueError, match="labels from 0 to 3 for 3 classes"):
        head.value(f, np.asarray([[0, 3]] * 4))
