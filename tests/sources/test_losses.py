"""Laws and errors of the losses: derivatives, roots of the Hessian, the labels they draw."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.sources._losses import LOSSES, Bernoulli, SoftmaxCrossEntropy, SquaredError, loss_function

EVERY = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
outputs = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1), st.sampled_from([0.1, 1, 6]))


def draw(sizes, loss):
    """Outputs (n, D) and labels for them."""
    n, D, seed, scale = sizes
    rng = np.random.default_rng(seed)
    f = scale * rng.standard_normal((n, D))
    return f, loss.sample(scale * rng.standard_normal((n, D)), rng)


def hessian(loss, f):
    L = loss.root(f)
    return L @ L.swapaxes(1, 2)


def difference_quotients(function, f, step=1e-5):
    """`∂function(f)/∂f_d` for every output d, appended as the last axis."""
    shifts = step * np.eye(f.shape[1])
    return np.stack([(function(f + s) - function(f - s)) / (2 * step) for s in shifts], axis=-1)


def every_label(loss, D):
    """All labels of one example with D outputs, each shaped as the label of one row."""
    if isinstance(loss, SoftmaxCrossEntropy):
        return [np.asarray([c]) for c in range(D)]
    return [np.asarray([bits], dtype=float) for bits in itertools.product([0, 1], repeat=D)]


def test_the_names():
    assert {name: type(loss) for name, loss in LOSSES.items()} == {
        "mse": SquaredError,
        "softmax": SoftmaxCrossEntropy,
        "bernoulli": Bernoulli,
    }


@EVERY
@given(sizes=outputs)
def test_gradient_is_the_difference_quotient_of_the_value(loss, sizes):
    f, y = draw(sizes, loss)
    quotient = difference_quotients(lambda f: loss.value(f, y), f)
    np.testing.assert_allclose(loss.gradient(f, y), quotient, atol=2e-8 * max(1, abs(f).max() ** 2))


@EVERY
@given(sizes=outputs)
def test_root_is_a_root_of_the_hessian(loss, sizes):
    f, y = draw(sizes, loss)
    quotient = difference_quotients(lambda f: loss.gradient(f, y), f)
    np.testing.assert_allclose(hessian(loss, f), quotient, atol=1e-8 * max(1, abs(f).max()))


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), Bernoulli()], ids=["softmax", "bernoulli"])
@given(sizes=outputs)
def test_type_2_equals_the_enumeration_of_labels(loss, sizes):
    f, _ = draw(sizes, loss)
    for row in f[:, None, :]:
        labels = every_label(loss, f.shape[1])
        weights = [np.exp(-loss.value(row, y)[0]) for y in labels]
        gradients = [loss.gradient(row, y)[0] for y in labels]
        np.testing.assert_allclose(sum(weights), 1, rtol=1e-12)  # the value is a negative log-probability
        mean = sum(w * g for w, g in zip(weights, gradients, strict=True))
        second = sum(w * np.outer(g, g) for w, g in zip(weights, gradients, strict=True))
        np.testing.assert_allclose(mean, 0, atol=1e-12)
        np.testing.assert_allclose(hessian(loss, row)[0], second, rtol=1e-10, atol=1e-13)


@EVERY
def test_drawn_labels_have_the_moments_of_the_model(loss):
    draws = 40_000
    f = np.asarray([[0.3, -1.2, 0.8]])
    many = np.repeat(f, draws, axis=0)
    gradients = loss.gradient(many, loss.sample(many, np.random.default_rng(5)))
    products = gradients[:, :, None] * gradients[:, None, :]
    # Five standard errors, the standard deviation taken from the sample itself.
    for sample, expected in ((gradients, 0), (products, hessian(loss, f)[0])):
        error = abs(sample.mean(axis=0) - expected)
        assert (error <= 5 * sample.std(axis=0) / np.sqrt(draws)).all()


def test_values_by_hand():
    f = np.asarray([[1.0, -2.0]])
    np.testing.assert_allclose(SquaredError().value(f, np.asarray([[0.0, 1.0]])), [(1 + 9) / 2])
    np.testing.assert_allclose(SoftmaxCrossEntropy().value(f, np.asarray([1])), [np.log(np.e + np.e**-2) + 2])
    expected = -np.log(1 / (1 + np.exp(-1.0))) - np.log(1 / (1 + np.exp(-2.0)))
    np.testing.assert_allclose(Bernoulli().value(f, np.asarray([[1, 0]])), [expected])


@given(sizes=outputs)
def test_softmax_root_has_a_null_vector(sizes):
    f, _ = draw(sizes, SoftmaxCrossEntropy())
    p = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(SoftmaxCrossEntropy().root(f) @ np.sqrt(p)[:, :, None], 0, atol=1e-14)


def test_one_hot_rows_are_class_labels():
    loss, f, y = (
        SoftmaxCrossEntropy(),
        np.random.default_rng(0).standard_normal((4, 3)),
        np.asarray([2, 0, 1, 2]),
    )
    for rows in (
        np.eye(3)[y],
        np.eye(3, dtype=int)[y],
        np.eye(3, dtype=bool)[y],
        np.eye(3, dtype=np.float32)[y],
    ):
        np.testing.assert_array_equal(loss.value(f, rows), loss.value(f, y))
        np.testing.assert_array_equal(loss.gradient(f, rows), loss.gradient(f, y))


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), Bernoulli()], ids=["softmax", "bernoulli"])
def test_a_probability_label_is_the_mixture_of_hard_labels(loss):
    f = np.asarray([[0.4, -0.7]])
    first, second = np.asarray([[1.0, 0.0]]), np.asarray([[0.0, 1.0]])
    mixed = loss.value(f, 0.25 * first + 0.75 * second)
    np.testing.assert_allclose(mixed, 0.25 * loss.value(f, first) + 0.75 * loss.value(f, second), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@EVERY
def test_dtype_is_kept(loss, dtype):
    f = np.asarray([[0.5, -1.0, 2.0]], dtype)
    y = loss.sample(f, np.random.default_rng(0))
    for result in (loss.targets(f, y), loss.value(f, y), loss.gradient(f, y), loss.root(f)):
        assert result.dtype == dtype


@pytest.mark.parametrize(("dtype", "large"), [(np.float32, 300.0), (np.float64, 5000.0)])
def test_saturated_logits_stay_exact(dtype, large):
    f = np.asarray([[large, -large], [-large, large]], dtype)
    softmax, bernoulli = SoftmaxCrossEntropy(), Bernoulli()
    np.testing.assert_array_equal(softmax.value(f, np.asarray([0, 0])), [0, 2 * large])
    np.testing.assert_array_equal(softmax.gradient(f, np.asarray([0, 0])), [[0, 0], [-1, 1]])
    np.testing.assert_array_equal(softmax.root(f), np.zeros((2, 2, 2)))
    np.testing.assert_array_equal(bernoulli.value(f, np.asarray([[1, 0], [1, 0]])), [0, 2 * large])
    np.testing.assert_array_equal(bernoulli.gradient(f, np.asarray([[1, 0], [1, 0]])), [[0, 0], [-1, 1]])
    np.testing.assert_array_equal(bernoulli.root(f), np.zeros((2, 2, 2)))


def test_small_probabilities_keep_their_digits():
    f = np.asarray([[50.0, 0.0]])
    np.testing.assert_allclose(Bernoulli().value(f[:, :1], np.asarray([[1]])), [np.exp(-50.0)], rtol=1e-12)
    np.testing.assert_allclose(Bernoulli().gradient(-f[:, :1], np.asarray([[0]])), [[np.exp(-50.0)]], rtol=1e-12)
    np.testing.assert_allclose(Bernoulli().root(f)[0, 0, 0], np.exp(-25.0), rtol=1e-12)
    # The root outlives the probability itself, which is zero in float64 here.
    f = np.asarray([[1000.0, 0.0]])
    np.testing.assert_allclose(SoftmaxCrossEntropy().root(f)[0, 1, 1], np.exp(-500.0), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "y", "message"),
    [
        ("mse", np.ones((3, 1)), r"'mse' got labels of shape \(3, 1\) beside outputs of shape \(3, 2\)"),
        ("mse", np.ones((3, 2), np.float32), r"dtype float32 beside outputs of float64.*astype\('float64'\)"),
        ("mse", np.ones((3, 2), int), r"dtype int64 beside outputs of float64.*astype\('float64'\)"),
        ("softmax", np.asarray([0, 1, 2]), r"labels from 0 to 2 for 2 classes: they must lie in 0\.\.1"),
        ("softmax", np.asarray([0, -1, 0]), "labels from -1 to 0 for 2 classes"),
        ("softmax", np.asarray([0, 1]), "2 labels for 3 examples"),
        ("softmax", np.asarray([0.0, 1.0, 1.0]), r"dtype float64: class labels are integers"),
        ("softmax", np.ones((3, 3)), r"shape \(3, 3\) beside outputs of shape \(3, 2\)"),
        ("softmax", np.ones((3, 2)), "not one-hot"),
        ("softmax", np.asarray([[2.0, -1.0]] * 3), "not one-hot"),
        ("bernoulli", np.asarray([0, 1, 1]), r"shape \(3,\) beside outputs of shape \(3, 2\)"),
        ("bernoulli", np.asarray([[0, 2]] * 3), r"labels from 0 to 2: they must lie in \[0, 1\]"),
        ("bernoulli", np.asarray([[0, -1]] * 3), r"labels from -1 to 0"),
    ],
)
def test_labels_that_do_not_fit(name, y, message):
    for method in (LOSSES[name].value, LOSSES[name].gradient):
        with pytest.raises(ValueError, match=message):
            method(np.zeros((3, 2)), y)


@EVERY
def test_every_loss_checks_that_its_labels_are_finite_numbers(loss):
    f = np.zeros((1, 2))
    with pytest.raises(ValueError, match="NaN or Inf"):
        loss.value(f, np.asarray([[np.nan, 1.0]]))
    with pytest.raises(ValueError, match="NumPy array of real numbers, got list"):
        loss.value(f, [[0.0, 1.0]])


def test_an_object_passes_through():
    loss = SquaredError()
    assert loss_function(loss) is loss
    assert loss_function("softmax") is LOSSES["softmax"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown loss 'ce': choose one of 'mse', 'softmax', 'bernoulli'"):
        loss_function("ce")
