"""Other devices and lower precision: what is returned is of the dtype and on the device of the parameters."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from tests.sources.pytorch.nets import labels, net  # noqa: E402

FISHER = pytest.mark.parametrize("fisher", ["type-2", "mc", "empirical"])
NAME = pytest.mark.parametrize("name", ["mlp", "conv2d", "twice", "attention", "tied embedding"])


def single(name):
    model, x = net(name)
    loss = nn.CrossEntropyLoss()
    y = labels(loss, model(x))
    return model.float(), loss, x.float() if x.is_floating_point() else x, y


@NAME
@FISHER
def test_autocast(name, fisher):
    """Close to float32 up to the few digits of bfloat16, and returned in float32."""
    model, loss, x, y = single(name)
    options = {"fisher": fisher, "seed": 1}
    wanted, slope, risk = pytorch.collect(model, loss, x, y, **options)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert name == "attention" or model(x).dtype == torch.bfloat16
        layers, gradient, h = pytorch.collect(model, loss, x, y, **options)
        assert torch.is_autocast_cache_enabled()
    assert {layer.dtype for layer in layers} == {gradient.dtype} == {torch.float32}
    assert [layer.name for layer in layers] == [layer.name for layer in wanted]
    assert h == pytest.approx(risk, rel=0.02)
    assert torch.linalg.norm(gradient - slope) < 0.05 * torch.linalg.norm(slope)
    if fisher != "mc":  # a label may turn over
        difference = kl.fisher(layers).to_dense() - kl.fisher(wanted).to_dense()
        assert torch.linalg.norm(difference) < 0.1 * float(kl.fisher(wanted).norm())


@pytest.mark.gpu("torch")
@NAME
@FISHER
def test_cuda(name, fisher):
    """Everything stays on the device, and is that of the CPU; the generators of the device are left as they were."""
    model, loss, x, y = single(name)
    wanted = pytorch.collect(model.double(), loss, x.double() if x.is_floating_point() else x, y)
    model, x, y = model.cuda(), x.cuda().double() if x.is_floating_point() else x.cuda(), y.cuda()
    before = torch.cuda.get_rng_state()
    layers, gradient, risk = pytorch.collect(model, loss, x, y, fisher=fisher)
    assert torch.equal(before, torch.cuda.get_rng_state())
    assert {layer.device.type for layer in layers} == {gradient.device.type} == {"cuda"}
    torch.testing.assert_close(gradient.cpu(), wanted[1])
    assert risk == pytest.approx(wanted[2])
    if fisher == "type-2":
        torch.testing.assert_close(kl.fisher(layers).to_dense().cpu(), kl.fisher(wanted[0]).to_dense())
    pytorch.write_grad(model, layers, gradient)
    batches = [(x.cpu(), y.cpu())]
    assert next(pytorch.collect_batches(model, loss, batches))[1].device.type == "cuda"
