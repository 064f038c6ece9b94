"""The interface of a loss and the checks that all losses share."""

import numpy as np
import pytest

from kronlin.sources._loss import Loss, require_labels, require_shape
from kronlin.sources._losses import LOSSES


def test_a_loss_must_be_complete():
    missing = {"targets", "value", "gradient", "root", "sample"}
    assert Loss.__abstractmethods__ == missing
    for loss in LOSSES.values():
        assert isinstance(loss, Loss)


@pytest.mark.parametrize("y", [np.ones(3), np.ones(3, int), np.ones(3, np.uint8), np.ones(3, bool)])
def test_real_labels_pass(y):
    require_labels("mse", y)
    require_shape("mse", np.ones(3), y)


@pytest.mark.parametrize(
    ("y", "got"),
    [
        ([1.0, 2.0], "list"),
        (None, "NoneType"),
        (np.ones(2, complex), "complex128"),
        (np.asarray(["a"]), "<U1"),
    ],
)
def test_other_labels_do_not(y, got):
    with pytest.raises(ValueError, match=f"'mse' needs labels as a NumPy array of real numbers, got .*{got}"):
        require_labels("mse", y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_labels_are_finite(bad):
    with pytest.raises(ValueError, match="'mse' got labels with NaN or Inf"):
        require_labels("mse", np.asarray([1.0, bad]))


def test_there_is_one_label_per_output():
    with pytest.raises(ValueError, match=r"'mse' got labels of shape \(3,\) beside outputs of shape \(3, 1\)"):
        require_shape("mse", np.ones((3, 1)), np.ones(3))
