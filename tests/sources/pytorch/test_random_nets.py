"""Generalised Gauss-Newton products and gradients on random nets: Hypothesis roams over layers and their options."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from tests.sources.pytorch.nets import labels  # noqa: E402

LOSSES = [cls(reduction=r) for cls in (nn.MSELoss, nn.CrossEntropyLoss, nn.BCEWithLogitsLoss) for r in ("mean", "sum")]


@st.composite
def convolutions(draw):
    """A convolution with any options, and an input that it can take."""
    d, groups = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    sizes = st.tuples(*[st.integers(1, 2)] * d)
    kernel, dilation = draw(sizes), draw(sizes)
    same = draw(st.booleans()) and all(size % 2 for size in kernel)
    layer = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[d - 1](
        groups * draw(st.integers(1, 2)),
        groups * draw(st.integers(1, 2)),
        kernel,
        stride=1 if same else draw(sizes),
        padding="same" if same else draw(st.tuples(*[st.integers(0, 1)] * d)),
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=draw(st.sampled_from(["zeros", "replicate"])),
    )
    lengths = [step * (size - 1) + draw(st.integers(1, 2)) for step, size in zip(dilation, kernel, strict=True)]
    return [layer, nn.Tanh(), nn.Flatten()], (layer.in_channels, *lengths)


@st.composite
def perceptrons(draw):
    """Linear layers with positions, normalised or not."""
    positions, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    layers = [nn.Linear(2, width, bias=draw(st.booleans())), nn.Tanh()]
    layers += [nn.LayerNorm(width)] if draw(st.booleans()) and width > 1 else []
    return [*layers, nn.Flatten()], (positions, 2)


@st.composite
def embeddings(draw):
    table = nn.Embedding(4, draw(st.integers(1, 3)), padding_idx=draw(st.sampled_from([None, 1])))
    return [table, nn.Flatten()], (draw(st.integers(1, 3)),)


@given(body=st.one_of(convolutions(), perceptrons(), embeddings()), data=st.data())
def test_gradient_and_products(body, data):
    layers, shape = body
    n, outputs = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    loss = data.draw(st.sampled_from(LOSSES))
    torch.manual_seed(data.draw(st.integers(0, 1000)))
    x = torch.randn(n, *shape, dtype=torch.float64)
    if isinstance(layers[0], nn.Embedding):
        x = torch.randint(4, (n, *shape))
    body = nn.Sequential(*layers).double()
    model = nn.Sequential(*layers, nn.Linear(body(x).shape[1], outputs)).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    y = labels(loss, model(x))
    collected, gradient, risk = pytorch.collect(model, loss, x, y)
    named = dict(model.named_parameters())
    layout, f = pytorch.layout(model, collected), model(x)

    def vector(gradients):
        return layout.vector({name: g.reshape(g.shape or (1,)) for name, g in zip(named, gradients, strict=True)})

    assert risk == pytest.approx(float(loss(f, y).detach()), rel=1e-12)
    wanted = vector(torch.autograd.grad(loss(f, y), list(named.values()), retain_graph=True))
    torch.testing.assert_close(gradient, wanted, rtol=1e-10, atol=1e-12)
    v = torch.randn_like(gradient)
    direction = [array.reshape(named[name].shape) for name, array in layout.arrays(v).items()]
    torch.testing.assert_close(
        kl.fisher(collected) @ v, vector(product(loss, f, y, list(named.values()), direction)), rtol=1e-10, atol=1e-12
    )


def product(loss, f, y, parameters, direction):
    """Jᵀ ∇²h J v, of which J v is the derivative of Jᵀ w in w."""
    w = torch.zeros_like(f, requires_grad=True)
    back = torch.autograd.grad(f, parameters, w, create_graph=True)
    Jv = torch.autograd.grad(back, w, direction, retain_graph=True)[0]
    at = f.detach().requires_grad_()
    slope = torch.autograd.grad(loss(at, y), at, create_graph=True)[0]
    HJv = torch.autograd.grad(slope, at, Jv)[0]
    return torch.autograd.grad(f, parameters, HJv, retain_graph=True)
