"""Laws of batches: together they are all the examples at once."""

import sys

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from tests.sources.pytorch.nets import labels, net  # noqa: E402


def data(name, loss, sizes=(3, 1)):
    model, x = net(name)
    y = labels(loss, model(x))
    return model, x, y, list(zip(x.split(sizes), y.split(sizes), strict=True))


@pytest.mark.parametrize("fisher", ["type-2", "empirical"])
@pytest.mark.parametrize("name", ["mlp", "conv2d", "positions", "tied embedding"])
def test_batches_concatenated_are_the_examples_at_once(name, fisher):
    loss = nn.CrossEntropyLoss()
    model, x, y, batches = data(name, loss)
    layers, gradient, risk = pytorch.collect(model, loss, x, y, fisher=fisher)
    found = pytorch.concatenate(pytorch.collect_batches(model, loss, batches, fisher=fisher))
    torch.testing.assert_close(found[1], gradient)
    assert found[2] == pytest.approx(risk)
    for one, other in zip(found[0], layers, strict=True):
        assert one.name == other.name
        torch.testing.assert_close(one.inputs, other.inputs)
        torch.testing.assert_close(one.output_gradients, other.output_gradients)


def test_kfac_of_all_examples_is_the_mean_of_that_of_batches():
    loss = nn.CrossEntropyLoss()
    model, x, y, batches = data("mlp", loss)
    K = kl.kfac(pytorch.collect(model, loss, x, y)[0])
    streamed = kl.stream(kl.kfac, (layers for layers, _, _ in pytorch.collect_batches(model, loss, batches)))
    torch.testing.assert_close(streamed.to_dense(), K.to_dense())


def test_each_batch_draws_labels_of_its_own():
    loss = nn.MSELoss()
    model, x, y, _ = data("mlp", loss)
    batches = [(x, y), (x, y)]
    one, two = (layers[0].output_gradients for layers, *_ in pytorch.collect_batches(model, loss, batches, fisher="mc"))
    assert not torch.equal(one, two)
    again = pytorch.collect(model, loss, x, y, fisher="mc", seed=1)[0][0].output_gradients
    assert torch.equal(again, two)


def test_batches_of_tuples_and_mappings():
    model, x, y, _ = data("mlp", nn.MSELoss())
    given = [((x,), y), ({"input": x}, y)]
    one, two = (gradient for _, gradient, _ in pytorch.collect_batches(nn.Sequential(model), nn.MSELoss(), given))
    assert torch.equal(one, two)


def test_a_bar_shows_the_progress(capsys):
    pytest.importorskip("tqdm")
    model, _, _, batches = data("mlp", nn.MSELoss())
    assert len(list(pytorch.collect_batches(model, nn.MSELoss(), batches, progress=True))) == 2
    assert "collect" in capsys.readouterr().err


def test_without_tqdm_the_bar_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    model, _, _, batches = data("mlp", nn.MSELoss())
    with pytest.raises(ImportError, match="tqdm"):
        next(pytorch.collect_batches(model, nn.MSELoss(), batches, progress=True))


def test_a_sum_over_examples_is_refused():
    model, _, _, batches = data("mlp", nn.MSELoss())
    with pytest.raises(ValueError, match="reduction 'sum' grows with the batch"):
        next(pytorch.collect_batches(model, nn.MSELoss(reduction="sum"), batches))


def test_batches_that_do_not_go_together():
    with pytest.raises(ValueError, match="there is no batch"):
        pytorch.concatenate([])
    model, x, y, _ = data("positions", nn.MSELoss())
    batches = [(x, y), (x[:, :1], y[:, :, :1])]
    with pytest.raises(ValueError, match="the batches differ in the names, positions S or columns K"):
        pytorch.concatenate(pytorch.collect_batches(model, nn.MSELoss(), batches))
