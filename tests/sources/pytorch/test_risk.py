"""The loss of a model is what PyTorch computes, and what `collect` returns."""

import pytest

torch = pytest.importorskip("torch")

from kronlin.sources import pytorch  # noqa: E402
from kronlin.sources.pytorch._risk import risk_of  # noqa: E402


@pytest.mark.parametrize(
    "loss", [torch.nn.CrossEntropyLoss(), torch.nn.CrossEntropyLoss(reduction="sum"), "softmax"], ids=str
)
def test_is_the_loss(loss):
    model = torch.nn.Linear(3, 4).to(torch.float64)
    x, y = torch.randn(6, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0, 1])
    found = risk_of(model, loss, x, y)
    assert float(found.detach()) == pytest.approx(pytorch.collect(model, loss, x, y)[2], rel=1e-14)
    wanted = torch.nn.functional.cross_entropy(model(x), y, reduction=getattr(loss, "reduction", "mean"))
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-14)
    (gradient,) = torch.autograd.grad(found, model.bias)
    torch.testing.assert_close(gradient, torch.autograd.grad(wanted, model.bias)[0])


def test_needs_no_gradient():
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        assert not risk_of(model, "mse", torch.ones(4, 3), torch.ones(4, 2)).requires_grad


def test_what_is_wrong_is_named():
    x, y = torch.ones(4, 3), torch.ones(4, 2)
    with pytest.raises(ValueError, match=r"must return one tensor .* not tuple"):
        risk_of(torch.nn.LSTM(3, 2), "mse", x, y)
    with pytest.raises(ValueError, match="labels must be a tensor of PyTorch, not list"):
        risk_of(torch.nn.Linear(3, 2), "mse", x, y.tolist())
    with pytest.raises(ValueError, match="unknown loss"):
        risk_of(torch.nn.Linear(3, 2), "absolute", x, y)
