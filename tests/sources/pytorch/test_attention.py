"""Laws of attention: the same output, and the layers of its projections."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from kronlin.sources.pytorch._attention import projections_apart  # noqa: E402
from tests.sources.pytorch.nets import gauss_newton, reference  # noqa: E402

OPTIONS = [{}, {"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"dropout": 0.5}]


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64)


def attention(**options):
    torch.manual_seed(0)
    module = nn.MultiheadAttention(4, 2, batch_first=True, **options).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_output_is_the_same(options):
    module, x, y = attention(**options), normal(2, 3, 4), normal(2, 5, 4)
    for arguments in ((x, x, x), (x, y, y), (x, y, 2 * y)):
        for more in ({}, {"need_weights": False}, {"attn_mask": normal(3, len(arguments[1][0])) > 0.5}):
            torch.manual_seed(1)
            wanted = module(*arguments, **more)
            heard = []
            torch.manual_seed(1)
            with projections_apart(module, lambda *call, heard=heard: heard.append(call)):
                found = module(*arguments, **more)
            torch.testing.assert_close(found, wanted, rtol=1e-14, atol=1e-15, equal_nan=True)
            assert len(heard) == len({id(x) for x in arguments})
    assert "forward" not in vars(module)


class Crossed(nn.Module):
    """Attention from two tokens to three others."""

    def __init__(self, **options):
        super().__init__()
        self.attention, self.last = attention(**options), nn.Linear(4, 2).double()

    def forward(self, x):
        return self.last(self.attention(x[:, :2], x[:, 2:], x[:, 2:].tanh())[0].mean(dim=1))


def encoder():
    layer = nn.TransformerEncoderLayer(4, 2, dim_feedforward=3, dropout=0.0, batch_first=True)
    return nn.Sequential(layer.double().eval(), nn.Flatten(), nn.Linear(20, 2).double())


def check(model, unsupported="error"):
    torch.manual_seed(2)
    x, loss = normal(3, 5, 4), nn.CrossEntropyLoss()
    y = torch.tensor([0, 1, 0])
    layers, gradient, _ = pytorch.collect(model, loss, x, y, unsupported=unsupported)
    f, J = reference(model, x, layers)
    torch.testing.assert_close(kl.fisher(layers).to_dense(), gauss_newton(loss, f, J, y), rtol=1e-10, atol=1e-13)
    slope = torch.autograd.functional.jacobian(lambda v: loss(v, y), f)
    torch.testing.assert_close(gradient, torch.einsum("nd,ndp->p", slope, J))
    return {layer.name: layer for layer in layers}


def test_self_attention_in_an_encoder():
    layers = check(encoder())
    assert list(layers)[:2] == ["0.self_attn", "0.self_attn.out_proj"]
    one = layers["0.self_attn"]
    assert (one.S, one.d_out, one.d_in) == (5, 12, 5)


def test_queries_keys_and_values_of_different_inputs():
    layers = check(Crossed())
    assert layers["attention"].S == 2 + 3 + 3


def test_biases_of_keys_and_values_are_parameters_of_no_layer():
    with pytest.raises(ValueError, match=r"'attention.bias_k' \(of a module of another kind\)"):
        check(Crossed(add_bias_kv=True))
    assert {"attention.bias_k", "attention.bias_v"} < set(check(Crossed(add_bias_kv=True), "columns"))


def test_the_last_projection_alone_may_be_trained():
    model = Crossed()
    for parameter in (model.attention.in_proj_weight, model.attention.in_proj_bias):
        parameter.requires_grad_(False)
    assert list(check(model)) == ["attention.out_proj", "last"]


def test_inputs_of_other_sizes_have_weights_of_their_own():
    module = nn.MultiheadAttention(4, 2, kdim=3, batch_first=True)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = module

        def forward(self, x):
            return self.attention(x, x[..., :3], x)[0].mean(dim=1)

    with pytest.raises(ValueError, match=r"'attention.q_proj_weight' \(of a module of another kind\)"):
        pytorch.collect(Model(), nn.MSELoss(), torch.ones(2, 3, 4), torch.ones(2, 4))
