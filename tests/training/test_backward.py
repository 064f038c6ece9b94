"""`PreconditionedOptimizer.backward` is a backward pass and an update in one."""

import copy

import pytest

import kronlin as kl

torch = pytest.importorskip("torch")

from tests.training.loops import EACH, LOSS, Scaled, backward, batch, net, preconditioner, same, sgd, train  # noqa: E402


def regular(p=0.5):
    torch.manual_seed(0)
    layers = torch.nn.Linear(3, 4), torch.nn.Dropout(p), torch.nn.Tanh(), torch.nn.Linear(4, 3)
    return torch.nn.Sequential(*layers).to(torch.float64)


@EACH
@pytest.mark.parametrize("every", [1, 2])
def test_backward_is_a_backward_pass_and_an_update(make, every):
    """Random numbers are drawn as in training: each step has a mask of its own, and the next one goes on from there."""
    models, losses, states = (regular(), regular()), [], []
    for k, model in enumerate(models):
        own = preconditioner(factors_every=every, inverses_every=2 * every)
        optimizer = kl.training.PreconditionedOptimizer(make(model.parameters()), model, LOSS, own)
        for step in range(4):
            x, y = batch(step)
            optimizer.zero_grad()
            torch.manual_seed(step)
            if k:
                losses.append(optimizer.backward(x, y))
            else:
                risk = backward(model, x, y)
                losses.append(float(risk.detach()))
                after = torch.get_rng_state()
                torch.manual_seed(step)
                optimizer.update(x, y)
                torch.set_rng_state(after)
            states.append(torch.get_rng_state())
            optimizer.step()
    for found, wanted in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)
    assert losses[:4] == pytest.approx(losses[4:], rel=1e-12)
    assert all(map(torch.equal, states[:4], states[4:]))


def test_backward_makes_no_second_pass(monkeypatch):
    model, (x, y) = net(), batch()
    optimizer = kl.training.PreconditionedOptimizer(
        sgd(model), model, LOSS, preconditioner(factors_every=2, inverses_every=2), fisher="empirical"
    )
    passes = []
    model[0].register_forward_hook(lambda *_: passes.append(1))
    monkeypatch.setattr(torch.Tensor, "backward", lambda *_: pytest.fail("a second backward pass"))
    optimizer.backward(x, y)
    assert len(passes) == 1
    assert torch.allclose(model[0].weight.grad, torch.autograd.grad(LOSS(model(x), y), model[0].weight)[0])


def test_backward_adds_up():
    model, other = net(), net()
    optimizer = kl.training.PreconditionedOptimizer(sgd(model), model, LOSS, preconditioner())
    for seed in range(3):
        optimizer.backward(*batch(seed))
        backward(other, *batch(seed))
    for found, wanted in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found.grad, wanted.grad, rtol=1e-12, atol=1e-14)


def test_backward_reaches_parameters_of_no_layer():
    model, other, (x, y) = Scaled(), Scaled(), batch()
    options = {"unsupported": "omit", "fisher": "empirical"}
    optimizer = kl.training.PreconditionedOptimizer(sgd(model), model, LOSS, preconditioner(), **options)
    optimizer.backward(x, y)
    backward(other, x, y)
    for found, wanted in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found.grad, wanted.grad, rtol=1e-12, atol=1e-14)


def test_backward_of_a_batch_that_is_not_finite():
    """The gradient is what a backward pass gives, and the step is left out."""
    model, (x, y) = net(), batch()
    optimizer = kl.training.PreconditionedOptimizer(sgd(model), model, LOSS, preconditioner())
    train(optimizer, 1)
    before = copy.deepcopy(model)
    optimizer.zero_grad()
    with pytest.warns(RuntimeWarning, match="statistics: .*the last good state"):
        assert optimizer.backward(x * torch.nan, y) != 0
    with pytest.warns(RuntimeWarning, match="the step is left out"):
        optimizer.step()
    same(model, before)
