"""What every loss shares: reductions, and labels that do not broadcast."""

import pytest

torch = pytest.importorskip("torch")

from kronlin.sources.pytorch._loss import require_labels_like  # noqa: E402
from kronlin.sources.pytorch._losses import SquaredError  # noqa: E402


def test_a_loss_without_reduction_is_no_number():
    with pytest.raises(ValueError, match="reduction 'none' leaves no number"):
        SquaredError("none")


@pytest.mark.parametrize(("reduction", "weight"), [("mean", 1 / 6), ("sum", 4.0), ("examples", 1.0)])
def test_the_weight_of_a_term_is_n_times_its_factor_in_the_loss(reduction, weight):
    assert SquaredError(reduction).weight_of_a_term(torch.zeros(4, 2, 3)) == pytest.approx(weight)


def test_an_elementwise_loss_has_a_column_for_each_entry_in_row_major_order():
    f = torch.zeros(4, 2, 3, dtype=torch.float64)
    columns = torch.stack(list(SquaredError("examples", factor=0.5).columns(f, f)), dim=1)
    torch.testing.assert_close(columns.reshape(4, 6, 6), torch.eye(6, dtype=torch.float64).expand(4, 6, 6))


def test_labels_never_broadcast():
    with pytest.raises(ValueError, match=r"shape \(4,\) beside outputs of shape \(4, 1\): one label for each"):
        require_labels_like("this loss", torch.zeros(4, 1), torch.zeros(4))
