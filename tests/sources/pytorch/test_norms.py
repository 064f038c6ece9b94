"""Laws of the normalisations: the gradient of each example by autograd."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources.pytorch._norms import norm_of, refuse_statistics_of_the_batch  # noqa: E402


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64)


MODULES = [
    (nn.LayerNorm(4), normal(3, 4)),
    (nn.LayerNorm((2, 4)), normal(3, 5, 2, 4)),
    (nn.RMSNorm(4), normal(3, 5, 4)),
    (nn.GroupNorm(2, 4), normal(3, 4, 5)),
    (nn.BatchNorm1d(4).eval(), normal(3, 4)),
    (nn.BatchNorm2d(4).eval(), normal(3, 4, 2, 5)),
]


@pytest.mark.parametrize(("module", "x"), MODULES, ids=lambda it: str(it) if isinstance(it, nn.Module) else "")
def test_columns_are_the_gradients_of_single_examples(module, x):
    module, kind = module.double(), norm_of(module)
    if hasattr(module, "running_var"):
        module.running_mean.uniform_(-1, 1)
        module.running_var.uniform_(0.5, 2)
    g = torch.randn_like(x)
    for slot, parameter in module.named_parameters():
        found = kind.column(module, slot, x, g, len(x))
        for i in range(len(x)):
            wanted = torch.autograd.grad(module(x[i : i + 1]), parameter, g[i : i + 1])[0]
            torch.testing.assert_close(found[i], wanted.flatten())


def test_statistics_of_the_batch_are_refused():
    refuse_statistics_of_the_batch(nn.Sequential(nn.BatchNorm1d(4), nn.LayerNorm(3)).eval())
    for module in (
        nn.BatchNorm1d(4),
        nn.BatchNorm2d(4, affine=False),
        nn.BatchNorm1d(4, track_running_stats=False).eval(),
    ):
        with pytest.raises(ValueError, match=r"layer '1', BatchNorm.*model\.eval\(\)"):
            refuse_statistics_of_the_batch(nn.Sequential(nn.Tanh().train(), module))


def test_other_modules_are_no_normalisations():
    assert norm_of(nn.Linear(2, 2)) is None
