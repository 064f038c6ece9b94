"""Laws of the losses: the values of PyTorch, roots of the Hessian of autograd, labels from the model."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources import _losses as numpy_losses  # noqa: E402
from kronlin.sources.pytorch._losses import NAMED, CrossEntropy, SquaredError, loss_function  # noqa: E402

N, C, S = 4, 3, 2


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def classes(*shape):
    return torch.randint(C, shape, generator=torch.Generator().manual_seed(1))


def cases():
    """Losses with outputs and labels, one for each option that changes the Hessian."""
    f, g = normal(N, C), normal(N, C, S)
    bits, probabilities = (normal(N, C, seed=2) > 0).double(), normal(N, C, S, seed=3).softmax(dim=1)
    weight, holes = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64), classes(N, S)
    holes[0, 0] = holes[2, 1] = -100
    for reduction in ("mean", "sum"):
        yield nn.MSELoss(reduction=reduction), f, normal(N, C, seed=4)
        yield nn.MSELoss(reduction=reduction), g, normal(N, C, S, seed=4)
        yield nn.BCEWithLogitsLoss(reduction=reduction), f, bits
        yield nn.BCEWithLogitsLoss(weight=weight, pos_weight=2 * weight, reduction=reduction), f, bits
        yield nn.CrossEntropyLoss(reduction=reduction), f, classes(N)
        yield nn.CrossEntropyLoss(reduction=reduction), g, holes
        yield nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=0.2), g, holes
        yield nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=0.2), g, probabilities


CASES = list(cases())
EACH = pytest.mark.parametrize(
    ("loss", "f", "y"), CASES, ids=[f"{type(c[0]).__name__}{i}" for i, c in enumerate(CASES)]
)


def hessian(loss, f, y):
    """n ∇²h in f, whole: (n D, n D)."""
    return len(f) * torch.autograd.functional.hessian(lambda v: loss(v.reshape(f.shape), y), f.flatten())


def by_example(columns):
    """Σ_k c_k c_kᵀ of columns (n, K, ...), one block for each example."""
    c = columns.flatten(2)
    return torch.block_diag(*(c.mT @ c))


@EACH
def test_value_is_that_of_pytorch(loss, f, y):
    torch.testing.assert_close(loss_function(loss).value(f, y), loss(f, y), rtol=1e-14, atol=0)


@EACH
def test_columns_are_a_root_of_the_hessian(loss, f, y):
    head = loss_function(loss)
    columns = torch.stack(list(head.columns(f, y)), dim=1)
    assert columns.shape == (N, head.count(f), *f.shape[1:])
    torch.testing.assert_close(by_example(columns), hessian(loss, f, y), rtol=1e-13, atol=1e-15)


@EACH
def test_samples_have_the_hessian_as_second_moment(loss, f, y):
    """A draw for each of many copies of the examples; the reduction "mean" is that of the copies."""
    head, copies = loss_function(loss), 4000
    many, labels = f.repeat(copies, *[1] * (f.ndim - 1)), y.repeat(copies, *[1] * (y.ndim - 1))
    drawn = head.sample(many, labels, torch.Generator().manual_seed(0)).reshape(copies, N, -1)
    if loss.reduction == "sum":
        drawn = drawn / copies**0.5
    products = torch.einsum("kni,knj->knij", drawn, drawn)
    exact = torch.stack(list(head.columns(f, y)), dim=1).flatten(2)
    error = (products.mean(dim=0) - exact.mT @ exact).abs()
    assert (error <= 5 * products.std(dim=0) / copies**0.5 + 1e-12).all()
    assert error.max() > 0


@pytest.mark.parametrize("name", sorted(NAMED))
def test_names_are_those_of_numpy_mlp(name):
    f, head, other = normal(N, C), NAMED[name](), numpy_losses.loss_function(name)
    y = other.sample(f.numpy(), np.random.default_rng(0))
    labels = torch.as_tensor(y)
    np.testing.assert_allclose(head.value(f, labels), other.value(f.numpy(), y).mean(), rtol=1e-14)
    columns = torch.stack(list(head.columns(f, labels)), dim=2)
    np.testing.assert_allclose(columns, other.root(f.numpy()), rtol=1e-13, atol=1e-15)


def test_softmax_by_name_has_its_classes_last():
    f, y = normal(N, S, C), classes(N, S)
    head, other = loss_function("softmax"), CrossEntropy("examples")
    torch.testing.assert_close(head.value(f, y), other.value(f.mT, y))
    for ours, theirs in zip(head.columns(f, y), other.columns(f.mT, y), strict=True):
        torch.testing.assert_close(ours, theirs.mT)


def test_a_loss_passes_through():
    loss = SquaredError("sum")
    assert loss_function(loss) is loss


def test_a_function_serves_the_empirical_fisher_alone():
    head, f = loss_function(nn.L1Loss()), normal(N, C)
    torch.testing.assert_close(head.value(f, 2 * f), f.abs().mean())
    for ask in (lambda: head.count(f), lambda: list(head.columns(f, f)), lambda: head.sample(f, f, None)):
        with pytest.raises(ValueError, match=r"the Hessian of L1Loss.* is not known: .*fisher='empirical'"):
            ask()
    with pytest.raises(ValueError, match=r"shape \(4, 3\): reduce it"):
        loss_function(nn.L1Loss(reduction="none")).value(f, f)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("ce", "unknown loss 'ce': choose one of 'mse', 'softmax', 'bernoulli'"),
        (3, "must be a function of outputs and labels"),
        (nn.MSELoss(reduction="none"), "reduction 'none'"),
    ],
)
def test_what_is_no_loss(loss, message):
    with pytest.raises(ValueError, match=message):
        loss_function(loss)


@pytest.mark.parametrize(
    ("loss", "f", "y", "message"),
    [
        ("mse", normal(4, 1), normal(4), "one label for each output"),
        ("bernoulli", normal(4, 1), normal(4), "one label for each output"),
        ("softmax", normal(4), classes(4), r"needs outputs \(n, classes, ...\)"),
        ("softmax", normal(4, 3), classes(4) + 1, "from 1 to 3 for 3 classes: they must be integers in 0..2"),
        ("softmax", normal(4, 3), classes(4) - 1, "from -1 to 1 for 3 classes"),
        ("softmax", normal(4, 3), normal(4), "labels of dtype torch.float64"),
        ("softmax", normal(4, 3), classes(2), r"labels of shape \(2,\) beside outputs of shape \(4, 3\)"),
    ],
)
def test_shapes_that_do_not_fit(loss, f, y, message):
    with pytest.raises(ValueError, match=message):
        loss_function(loss).value(f, y)
