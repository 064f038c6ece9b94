"""Laws of the wrapped optimiser: it is the optimiser itself, fed with preconditioned gradients."""

import copy

import pytest

import kronlin as kl
from kronlin.sources import pytorch

torch = pytest.importorskip("torch")

from tests.training.loops import EACH, LOSS, Scaled, backward, batch, net, preconditioner, same, sgd, train  # noqa: E402


@EACH
def test_is_the_optimiser_with_other_gradients(make):
    model, other = net(), net()
    train(kl.training.PreconditionedOptimizer(make(model.parameters()), model, LOSS, preconditioner()))
    plain, own = make(other.parameters()), preconditioner()
    for step in range(3):
        layers, gradient, _ = pytorch.collect(other, LOSS, *batch(step))
        own.update(layers)
        pytorch.write_grad(other, layers, own.apply(gradient))
        plain.step()
    for found, wanted in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)


@EACH
def test_a_closure_gives_the_same(make):
    model, other = net(), net()
    train(kl.training.PreconditionedOptimizer(make(model.parameters()), model, LOSS, preconditioner()))
    optimizer = kl.training.PreconditionedOptimizer(make(other.parameters()), other, LOSS, preconditioner())
    for step in range(3):
        x, y = batch(step)

        def closure(x=x, y=y):
            optimizer.zero_grad()
            return backward(other, x, y)

        wanted = float(LOSS(other(x), y).detach())
        optimizer.update(x, y)
        assert float(optimizer.step(closure).detach()) == pytest.approx(wanted, rel=1e-12)
    same(model, other)


def test_gradients_accumulate():
    """Two halves make the step of the whole."""
    model, other = net(), net()
    x, y = batch()
    optimizers = [
        kl.training.PreconditionedOptimizer(sgd(each), each, LOSS, preconditioner()) for each in (model, other)
    ]
    backward(model, x, y)
    for half in (slice(0, 6), slice(6, 12)):
        backward(other, x[half], y[half], scale=0.5)
    for optimizer in optimizers:
        optimizer.update(x, y)
        optimizer.step()
    for found, wanted in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)


def test_parameter_groups():
    """Each has its rate, and what is in none is not moved."""
    model, other = net(), net()
    groups = [{"params": [model[0].weight], "lr": 0.2}, {"params": [model[2].weight, model[2].bias], "lr": 0.1}]
    optimizer = kl.training.PreconditionedOptimizer(torch.optim.SGD(groups), model, LOSS, preconditioner())
    assert optimizer.param_groups is optimizer.optimizer.param_groups
    train(optimizer, steps=1)
    layers, gradient, _ = pytorch.collect(other, LOSS, *batch())
    own = preconditioner()
    own.update(layers)
    steps = pytorch.layout(other, layers).arrays(own.apply(gradient))
    for (name, found), start in zip(model.named_parameters(), other.parameters(), strict=True):
        lr = {"0.weight": 0.2, "0.bias": 0.0, "2.weight": 0.1, "2.bias": 0.1}[name]
        torch.testing.assert_close(found, start - lr * steps[name], rtol=1e-12, atol=1e-14)


def test_a_scheduler_goes_on_the_optimiser():
    model = net()
    optimizer = kl.training.PreconditionedOptimizer(sgd(model, 0.4), model, LOSS, preconditioner())
    scheduler, rates = torch.optim.lr_scheduler.StepLR(optimizer.optimizer, 1, gamma=0.5), []
    for step in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        train(optimizer, 1, step)
        scheduler.step()
    assert rates == [0.4, 0.2, 0.1]


@pytest.mark.parametrize("damping", [0.1, kl.LevenbergMarquardt(0.1, interval=2)])
def test_goes_on_from_its_state(damping, tmp_path):
    def make(model):
        inner = sgd(model, 0.1, momentum=0.9)
        return kl.training.PreconditionedOptimizer(
            inner, model, LOSS, preconditioner(damping=damping, factors_every=2, inverses_every=4)
        )

    model, other = net(), net()
    one = make(model)
    train(one, 3)
    torch.save([model.state_dict(), one.state_dict()], tmp_path / "state.pt")
    train(one, 3, 3)
    again, state = torch.load(tmp_path / "state.pt", weights_only=True)
    other.load_state_dict(again)
    two = make(other)
    two.load_state_dict(state)
    train(two, 3, 3)
    same(model, other)
    assert two.preconditioner.ages == one.preconditioner.ages
    assert two.preconditioner.damping == one.preconditioner.damping


def test_an_empty_state():
    model = net()
    optimizers = [kl.training.PreconditionedOptimizer(sgd(model), model, LOSS, preconditioner()) for _ in range(2)]
    train(optimizers[0], 1)
    optimizers[0].load_state_dict(optimizers[1].state_dict())
    with pytest.raises(ValueError, match=r"call update\(x, y\) before step\(\)"):
        optimizers[0].step()
    train(optimizers[0], 1)


def test_the_damping_hears_of_the_step_that_was_taken():
    """Which is not that of the preconditioner where the optimiser has momentum."""
    model = net()
    damping = kl.LevenbergMarquardt(0.5, decay=0.5, interval=2)
    optimizer = kl.training.PreconditionedOptimizer(
        sgd(model, 0.2, momentum=0.9), model, LOSS, preconditioner(damping=damping)
    )
    train(optimizer, 1)
    assert optimizer.preconditioner.damping == damping
    before = copy.deepcopy(model)
    train(optimizer, 1, 1)
    layers, gradient, risk = pytorch.collect(before, LOSS, *batch(1))
    layout = pytorch.layout(before, layers)
    ends = [layout.vector({name: p.detach() for name, p in each.named_parameters()}) for each in (model, before)]
    predicted = -kl.quadratic_model(kl.fisher(layers), 0.5, gradient, ends[0] - ends[1])
    wanted = damping.update(risk - float(LOSS(model(batch(1)[0]), batch(1)[1]).detach()), predicted)
    assert optimizer.preconditioner.damping == wanted


def test_a_parameter_of_no_layer_keeps_its_gradient():
    model, (x, y) = Scaled(), batch()
    optimizer = kl.training.PreconditionedOptimizer(
        sgd(model, 1.0), model, LOSS, preconditioner(), unsupported="omit", fisher="empirical"
    )
    backward(model, x, y)
    own, gradient = model.table.detach().clone(), model.table.grad.clone()
    optimizer.update(x, y)
    optimizer.step()
    assert torch.equal(model.table, own - gradient)


def test_statistics_are_collected_when_they_are_due(monkeypatch):
    model, calls = net(), []
    collect = pytorch.collect
    monkeypatch.setattr(pytorch, "collect", lambda *given, **options: calls.append(1) or collect(*given, **options))
    optimizer = kl.training.PreconditionedOptimizer(
        sgd(model), model, LOSS, preconditioner(factors_every=3, inverses_every=3)
    )
    counts = []
    for step in range(7):
        train(optimizer, 1, step)
        counts.append(len(calls))
    assert counts == [1, 1, 1, 2, 2, 2, 3]


def test_a_batch_that_is_not_finite_moves_nothing():
    model, (x, y) = net(), batch()
    optimizer = kl.training.PreconditionedOptimizer(sgd(model), model, LOSS, preconditioner())
    train(optimizer, 1)
    before = copy.deepcopy(model)
    optimizer.zero_grad()
    backward(model, x * torch.nan, y)
    with pytest.warns(RuntimeWarning, match="statistics: .*the last good state"):
        optimizer.update(x * torch.nan, y)
    with pytest.warns(RuntimeWarning, match="the step is left out"):
        optimizer.step()
    same(model, before)


def test_single_precision_stays():
    model, (x, y) = net(torch.float32), batch(dtype=torch.float32)
    optimizer = kl.training.PreconditionedOptimizer(
        sgd(model), model, LOSS, preconditioner(scheme="BNN", coarse_space=kl.coarse.nicolaides)
    )
    backward(model, x, y)
    optimizer.update(x, y)
    optimizer.step()
    assert all(p.grad.dtype == p.dtype == torch.float32 for p in model.parameters())


def test_what_is_missing_is_named():
    model, (x, y) = net(), batch()
    optimizer = kl.training.PreconditionedOptimizer(sgd(model), model, LOSS, preconditioner())
    with pytest.raises(ValueError, match=r"call update\(x, y\) before step\(\)"):
        optimizer.step()
    optimizer.update(x, y)
    with pytest.raises(ValueError, match=r"0.weight, 0.bias, 2.weight, 2.bias has no gradient"):
        optimizer.step()


def test_reaches_a_loss_sooner_than_plain_descent():
    losses = []
    x, y = batch(n=60)
    for damped in (True, False):
        model = net()
        optimizer = sgd(model, 0.5)
        if damped:
            optimizer = kl.training.PreconditionedOptimizer(optimizer, model, LOSS, preconditioner(damping=0.03))
        for _ in range(20):
            optimizer.zero_grad()
            backward(model, x, y)
            if damped:
                optimizer.update(x, y)
            optimizer.step()
        losses.append(float(LOSS(model(x), y).detach()))
    assert losses[0] < 0.95 * losses[1]


def test_each_step_draws_its_own_labels():
    seen = []

    def estimator(layers):
        seen.append(layers[-1].output_gradients)
        return kl.kfac(layers)

    model = net()
    options = {"fisher": "mc", "seed": 7}
    optimizer = kl.training.PreconditionedOptimizer(
        sgd(model, lr=0.0), model, LOSS, preconditioner(estimator=estimator), **options
    )
    for _ in range(2):
        backward(model, *batch())
        optimizer.update(*batch())
        optimizer.step()
    assert not torch.equal(*seen)
    layers, _, _ = pytorch.collect(model, LOSS, *batch(), **options | {"seed": 8})
    assert torch.equal(seen[0], layers[-1].output_gradients)
