"""The columns at the output."""

import pytest

torch = pytest.importorskip("torch")

from kronlin.sources.pytorch._columns import columns_of, number_of_columns  # noqa: E402
from kronlin.sources.pytorch._losses import loss_function  # noqa: E402


@pytest.mark.parametrize(("fisher", "samples", "K"), [("type-2", 1, 3), ("mc", 5, 5), ("empirical", 1, 1)])
def test_the_number_of_columns(fisher, samples, K):
    head, f = loss_function("softmax"), torch.zeros(4, 3, requires_grad=True)
    assert number_of_columns(head, f, fisher, samples) == K
    if fisher != "empirical":
        found = list(columns_of(head, f, torch.zeros(4, dtype=torch.long), fisher, 0, samples))
        assert len(found) == K
        assert all(column.shape == f.shape and not column.requires_grad for column in found)


def test_samples_come_from_a_generator_of_their_own():
    head, f, y = loss_function("mse"), torch.zeros(4, 3), torch.zeros(4, 3)
    before = torch.get_rng_state()
    one, two = (next(columns_of(head, f, y, "mc", seed, 1)) for seed in (1, 1))
    assert torch.equal(one, two)
    assert torch.equal(before, torch.get_rng_state())
