"""Laws of the running average: the mean at first, slowly forgetting later, and only of what has a mean."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.libraries import NUMPY, eager
from tests.matrices import each_dtype, normal, positive
from tests.nets import close, random_layers, tiny_layers

ESTIMATORS = [kl.kfac, kl.tkfac, kl.mini_block_fisher, kl.diagonal_fisher]
EACH = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: estimator.__name__)


def layers(seed, lib=NUMPY, dtype="float64", n=4):
    return random_layers(np.random.default_rng(seed), n, 2, [(2, 3), (3, 2), (2, 3)], 2, lib, dtype)


def average_of(operators, alpha=0.95):
    average = kl.RunningAverage(alpha)
    for operator in operators:
        average = average.update(operator)
    return average


def arrays_of(operator, lib=NUMPY):
    return [lib.numpy(array) for array in operator._arrays()]


@EACH
@given(count=st.integers(1, 6), seed=st.integers(0, 99))
def test_at_first_every_array_is_the_mean(estimator, count, seed):
    operators = [estimator(layers(seed + i)) for i in range(count)]
    average = average_of(operators)
    assert average.count == count
    assert type(average.value) is type(operators[0])
    assert average.value.is_psd is True
    for found, *all_of_them in zip(*map(arrays_of, (average.value, *operators)), strict=True):
        close(found, np.mean(all_of_them, axis=0), 1e-14)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.floats(0, 1))
def test_definition(numbers, alpha):
    """S_k = ρ_k S_{k-1} + (1 - ρ_k) x_k with ρ_k = min(1 - 1/k, α), from k = 1."""
    average, S = kl.RunningAverage(alpha), 0.0
    for k, x in enumerate(numbers, start=1):
        rho = min(1 - 1 / k, alpha)
        S, average = rho * S + (1 - rho) * x, average.update(np.array([[x]]))
        np.testing.assert_allclose(average.value.to_dense(), [[S]], atol=1e-14)
    np.testing.assert_allclose(average_of([np.array([[x]]) for x in numbers], 1.0).value.to_dense(), np.mean(numbers))


@given(st.floats(0, 1), st.integers(1, 30))
def test_has_no_bias(alpha, count):
    """Equal quantities have themselves as mean, from the first one on."""
    np.testing.assert_allclose(average_of([np.eye(2)] * count, alpha).value.to_dense(), np.eye(2), rtol=1e-14)


def test_keeps_only_the_newest():
    np.testing.assert_array_equal(average_of([np.eye(2), 3 * np.eye(2)], alpha=0).value.to_dense(), 3 * np.eye(2))


def test_the_factors_are_averaged():
    """Their product is not the mean of the products; of TK-FAC the trace is."""
    K, T = ([estimator(layers(seed)) for seed in range(3)] for estimator in (kl.kfac, kl.tkfac))
    mean = sum(k.to_dense() for k in K) / 3
    assert np.linalg.norm(average_of(K).value.to_dense() - mean) > 0.05 * np.linalg.norm(mean)
    for block, *parts in zip(average_of(T).value.blocks, *(t.blocks for t in T), strict=True):
        np.testing.assert_allclose(block.trace(), np.mean([part.trace() for part in parts]), rtol=1e-13)


def test_the_result_has_the_structure_of_one():
    average = average_of([kl.kfac(layers(seed)) for seed in range(3)])
    assert average.value.members == ((0, 2), (1,))
    assert all(type(bucket) is kl.Kronecker for bucket in average.value.buckets)
    assert all(type(bucket) is kl.Spectral for bucket in average.value.damped(0.1).inverse().buckets)


def test_is_a_value():
    one = kl.RunningAverage(0.9).update(np.eye(2))
    two = one.update(3 * np.eye(2))
    assert (one.count, two.count) == (1, 2)
    np.testing.assert_array_equal(one.value.to_dense(), np.eye(2))
    assert two.reset().value is None
    assert (two.reset().count, two.reset().alpha) == (0, 0.9)
    with pytest.raises(FrozenInstanceError):
        one.count = 3


def test_ekfac_in_one_basis():
    """There the mean of the eigenvalues is that of the operators."""
    first = kl.ekfac(layers(0))
    average = average_of([first, kl.ekfac(layers(1), basis=first), kl.ekfac(layers(2), basis=first)])
    with pytest.raises(ValueError, match=r"different bases.*ekfac\(layers, basis=old\).*rotate\(old, new\).*reset\(\)"):
        average.update(kl.ekfac(layers(3)))
    several = [kl.ekfac(layers(seed), basis=average.value) for seed in range(3)]
    close(average.value.to_dense(), sum(each.to_dense() for each in several) / 3)


def test_ekfac_with_a_new_basis():
    """The factors have the basis, and the eigenvalues follow."""
    factors, spectrum = kl.RunningAverage(), kl.RunningAverage()
    for seed in range(3):
        factors = factors.update(kl.kfac(layers(seed)))
        spectrum = spectrum.rotate(factors.value).update(kl.ekfac(layers(seed), basis=factors.value))
    assert spectrum.count == 3
    np.testing.assert_allclose(
        spectrum.value.trace(), np.mean([kl.diagonal_fisher(layers(seed)).trace() for seed in range(3)]), rtol=1e-12
    )
    assert kl.RunningAverage().rotate(factors.value).value is None


@pytest.mark.parametrize(
    "make", [lambda x: kl.kpsvd(x, rank=2), kl.kfac_corrected, kl.fisher, kl.block_diagonal_fisher]
)
def test_what_has_no_mean_is_refused_at_once(make):
    with pytest.raises(ValueError, match="cannot average"):
        kl.RunningAverage().update(make(layers(0)))


@pytest.mark.parametrize(
    ("new", "match"),
    [
        (kl.Kronecker(np.eye(3), np.eye(2)), "must have one structure"),
        (kl.Kronecker(np.eye(2), np.eye(2)), "their shapes differ"),
        (np.eye(6), "must have one structure"),
        (kl.Kronecker(np.eye(2, dtype="float32"), np.eye(3, dtype="float32")), "numpy float64 and numpy float32"),
    ],
)
def test_what_does_not_belong_to_the_others_is_refused(new, match):
    average = kl.RunningAverage().update(kl.Kronecker(np.eye(2), np.eye(3)))
    with pytest.raises(ValueError, match=match):
        average.update(new)


@each_dtype(("float32", "complex64", "float64"))
def test_every_library(lib, dtype):
    batches = [tiny_layers(lib, dtype), tiny_layers(lib, dtype)[::-1]]
    average = average_of([kl.kfac(batch) for batch in batches])
    assert average.value.kind == kl.kfac(batches[0]).kind
    for found, one, other in zip(*(arrays_of(x, lib) for x in (average.value, *map(kl.kfac, batches))), strict=True):
        close(found, (one + other) / 2, 1e-14 if dtype == "float64" else 1e-6)


@pytest.mark.parametrize("estimator", [*ESTIMATORS, kl.ekfac], ids=lambda estimator: estimator.__name__)
def test_state(estimator, tmp_path):
    """Through a file of arrays; the other batch gives the structure and none of its numbers."""
    average = average_of([estimator(layers(0))] * 3, alpha=0.5)
    np.savez(tmp_path / "state.npz", **average.state_dict())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        again = kl.RunningAverage.from_state_dict(state, like=estimator(layers(7)))
    assert (again.alpha, again.count) == (0.5, 3)
    np.testing.assert_array_equal(again.value.to_dense(), average.value.to_dense())
    assert again.value.properties == average.value.properties
    new = estimator(layers(1)) if estimator is not kl.ekfac else kl.ekfac(layers(1), basis=again.value)
    np.testing.assert_array_equal(again.update(new).value.to_dense(), average.update(new).value.to_dense())


def test_the_value_is_saved_and_loaded(tmp_path):
    average = average_of([kl.ekfac(layers(0))])
    kl.save(tmp_path / "value", average.value)
    again = kl.RunningAverage(average.alpha, average.count, kl.load(tmp_path / "value"))
    new = kl.ekfac(layers(1), basis=again.value)
    np.testing.assert_array_equal(again.update(new).value.to_dense(), average.update(new).value.to_dense())


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_a_state_goes_to_another_library(lib):
    state = average_of([kl.kfac(tiny_layers(NUMPY, "float32"))]).state_dict()
    again = kl.RunningAverage.from_state_dict(state, like=kl.kfac(tiny_layers(lib, "float32")[::-1]))
    for found, wanted in zip(
        arrays_of(again.value, lib), arrays_of(kl.kfac(tiny_layers(NUMPY, "float32"))), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


def test_a_state_whose_like_holds_an_array_twice():
    q = positive(2)
    average = average_of([kl.Kronecker(q, q), kl.Kronecker(2 * q, q)])
    again = kl.RunningAverage.from_state_dict(average.state_dict(), like=kl.Kronecker(q, q))
    np.testing.assert_array_equal(again.value.to_dense(), average.value.to_dense())


def test_an_empty_state():
    state = kl.RunningAverage(0.3).state_dict()
    assert state == {"alpha": 0.3, "count": 0}
    again = kl.RunningAverage.from_state_dict(state, like=np.eye(2))
    assert (again.alpha, again.count, again.value) == (0.3, 0, None)


@pytest.mark.parametrize(
    ("like", "match"),
    [
        (kl.Kronecker(positive(2), positive(2), positive(2)), "2 arrays, and .* is made of 3"),
        (kl.Kronecker(positive(3), positive(2)), r"array \(2, 2\) where float64 \(3, 3\) is needed"),
        (kl.Kronecker(*[normal((2, 2), "float32")] * 1, normal((3, 3), "float32")), "float64 array .* where float32"),
    ],
)
def test_a_state_of_something_else(like, match):
    state = average_of([kl.Kronecker(positive(2), positive(3))]).state_dict()
    with pytest.raises(ValueError, match=match):
        kl.RunningAverage.from_state_dict(state, like)


def test_a_state_that_is_not_finite():
    state = average_of([positive(2)]).state_dict() | {"array 0": np.full((2, 2), np.nan)}
    with pytest.raises(ValueError, match="a finite"):
        kl.RunningAverage.from_state_dict(state, np.eye(2))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((1.5,), "alpha must be from 0 to 1, not 1.5"),
        ((float("nan"),), "alpha must be from 0 to 1"),
        ((0.5, 2), "a count of 2 does not go with the value None"),
        ((0.5, 0, kl.Dense(np.eye(2))), "a count of 0 does not go with"),
        ((0.5, -1, kl.Dense(np.eye(2))), "a count of -1"),
    ],
)
def test_arguments_are_checked(arguments, match):
    with pytest.raises(ValueError, match=match):
        kl.RunningAverage(*arguments)
