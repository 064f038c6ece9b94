"""Steps that are known to treat row by row, and steps that are not: what is said is checked by derivatives."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources import pytorch  # noqa: E402
from kronlin.sources.pytorch._rowwise import rowwise  # noqa: E402
from tests.sources.pytorch.test_examples import Causal, Centred, Encoded, SequenceFirst  # noqa: E402

ACTIVATIONS = "ELU GELU Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid Mish ReLU ReLU6 SiLU Sigmoid Softplus Tanh"
VECTORS, IMAGES, VOLUMES = (4, 3), (4, 2, 6, 6), (4, 2, 4, 4, 4)


class Residual(nn.Module):
    """A sum and a product of two parts that both depend on the example, and constants and parameters beside them."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.scale = nn.Linear(3, 3), nn.Linear(3, 3, bias=False), nn.Parameter(torch.ones(3))

    def forward(self, x):
        z = self.a(x)
        return (z - 1) * self.scale + 2 * z.exp() / 3 * self.b(-z.sin())


KNOWN = {name: (nn.Sequential(nn.Linear(3, 2), getattr(nn, name)()), VECTORS) for name in ACTIVATIONS.split()} | {
    "in place": (nn.Sequential(nn.Linear(3, 2), nn.ReLU(inplace=True), nn.Linear(2, 2, bias=False)), VECTORS),
    "dropout": (nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)), VECTORS),
    "residual": (Residual(), VECTORS),
    "positions": (
        nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2), nn.Flatten(), nn.Linear(10, 2)),
        (4, 5, 3),
    ),
    "frozen": (nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2).requires_grad_(False)), VECTORS),
    "convolution": (
        nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 2)),
        IMAGES,
    ),
    "pools": (nn.Sequential(nn.Conv2d(2, 2, 3), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d((1, 2))), IMAGES),
    "volumes": (
        nn.Sequential(
            nn.Conv3d(2, 2, 1),
            nn.AdaptiveAvgPool3d((4, 2, 2)),
            nn.AvgPool3d((2, 1, 1)),
            nn.MaxPool3d(2),
            nn.Flatten(),
            nn.Linear(2, 2),
        ),
        VOLUMES,
    ),
    "turned": (nn.ConvTranspose2d(2, 2, 3), IMAGES),
    "embedding": (nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2)), None),
}


def jacobian_of_first_layer(model, x):
    """∂f/∂z, z the output of the first module that has parameters and no parts; dropout drops the same each time."""
    module = next(m for m in model.modules() if list(m.parameters()) and not list(m.children()))

    def run(z):
        torch.manual_seed(0)
        handle = module.register_forward_hook(lambda *_: z.clone())
        f = model(x)
        handle.remove()
        return f

    return torch.autograd.functional.jacobian(run, module(x).detach())


@pytest.mark.parametrize("name", KNOWN)
def test_known_steps_keep_rows_apart(name):
    model, shape = KNOWN[name]
    x = torch.arange(4) if shape is None else torch.randn(shape)
    f = model(x)
    assert rowwise(f)
    blocks = jacobian_of_first_layer(model, x).reshape(4, f[0].numel(), 4, -1).abs().amax(dim=(1, 3))
    assert not blocks[~torch.eye(4, dtype=torch.bool)].any()


class Steps(nn.Module):
    """A layer and a function."""

    def __init__(self, function, d=4):
        super().__init__()
        self.layer, self.function = nn.Linear(3, d), function

    def forward(self, x):
        return self.function(self.layer(x))


class Relu(torch.autograd.Function):
    """A user's own function with a name that PyTorch uses too."""

    @staticmethod
    def forward(ctx, z):
        return z.flip(0)

    @staticmethod
    def backward(ctx, g):
        return g.flip(0)


MIXING = {
    "a mean over rows": lambda z: z - z.mean(dim=0),
    "repeated rows": lambda z: (z.unsqueeze(0) + z.unsqueeze(1)).flatten(1),
    "rows beside a constant": lambda z: (z.unsqueeze(0) * torch.ones(4, 1, 1)).flatten(1),
    "a transposition": lambda z: z.T + z,
    "a product from the left": lambda z: torch.ones(4, 4) @ z,
    "a product from the left, and a sum": lambda z: torch.addmm(torch.ones(4), torch.ones(4, 4), z),
    "products of rows with rows": lambda z: z @ z.T,
    "a softmax over rows": lambda z: z.softmax(dim=0),
    "the normalisation of all": lambda z: nn.functional.layer_norm(z, (4, 4)),
    "statistics of the batch": lambda z: nn.functional.batch_norm(z, None, None, training=True),
    "a user's step": Relu.apply,
}


@pytest.mark.parametrize("name", MIXING)
def test_steps_that_mix_are_not_known(name):
    model, x = Steps(MIXING[name]), torch.randn(4, 3)
    assert not rowwise(model(x))
    with pytest.raises(ValueError, match="mix the n = 4 examples"):
        pytorch.collect(model, "mse", x, torch.zeros_like(model(x)))


@pytest.mark.parametrize("model", [SequenceFirst(), Causal(), Centred(), Encoded()], ids=lambda m: type(m).__name__)
def test_models_that_mix_are_not_known(model):
    x = torch.randn(4, 4, 3) if isinstance(model, SequenceFirst) else torch.randn(4, 3)
    assert not rowwise(model(torch.randn(3, 3, 2) if isinstance(model, Encoded) else x))


def test_what_is_not_known_is_tested_by_a_backward_pass():
    """Harmless, and collected."""
    model, x = Steps(lambda z: z.softmax(dim=1)), torch.randn(4, 3)
    assert not rowwise(model(x))
    layers, _, _ = pytorch.collect(model, "mse", x, torch.zeros(4, 4))
    assert layers[0].n == 4


def test_a_version_that_tells_no_shapes():
    """Then nothing is known."""

    class Node:
        next_functions = ()

        def name(self):
            return "AddmmBackward0"

    class Output:
        grad_fn = Node()

        def __len__(self):
            return 4

    assert not rowwise(Output())


def test_low_precision_and_parameters():
    layer, x = nn.Linear(3, 2), torch.randn(4, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert rowwise(layer(x).relu())
    assert rowwise(nn.Parameter(torch.ones(4, 2)))
