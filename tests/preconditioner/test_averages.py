"""Laws of the averages: those of RunningAverage, in a kept basis where there is one."""

from functools import partial

import numpy as np
import pytest

import kronlin as kl
from kronlin.preconditioner.averages import Averages
from tests.nets import close, random_layers


def layers(seed):
    return random_layers(np.random.default_rng(seed), 4, 2, [(2, 3), (3, 2)], 2)


def test_without_a_basis_it_is_the_running_average():
    averages, average = Averages.start(kl.kfac, None, 0.7), kl.RunningAverage(0.7)
    for seed in range(4):
        averages = averages.update(kl.kfac, None, layers(seed), turn=bool(seed % 2))
        average = average.update(kl.kfac(layers(seed)))
    assert averages.main.count == 4
    np.testing.assert_array_equal(averages.value.to_dense(), average.value.to_dense())


def test_with_a_basis_eigenvalues_are_averaged_in_it():
    averages = Averages.start(kl.ekfac, kl.kfac, 0.7)
    factors, spectrum, kept = kl.RunningAverage(0.7), kl.RunningAverage(0.7), None
    for seed, turn in enumerate([True, False, False, True, False]):
        averages = averages.update(kl.ekfac, kl.kfac, layers(seed), turn)
        factors = factors.update(kl.kfac(layers(seed)))
        if turn:
            kept = factors.value
            spectrum = spectrum.rotate(kept)
        spectrum = spectrum.update(kl.ekfac(layers(seed), basis=kept))
        close(averages.value.to_dense(), spectrum.value.to_dense())
        close(averages.kept.to_dense(), kept.to_dense())
    assert all(type(block) is kl.Spectral for block in averages.value.blocks)


@pytest.mark.parametrize("estimator", [kl.kpsvd, kl.shampoo, kl.ekfac, kl.kfac_corrected])
def test_without_decay_nothing_needs_a_mean(estimator):
    averages = Averages.start(estimator, None, 0.0)
    for seed in range(3):
        averages = averages.update(estimator, None, layers(seed), turn=True)
    np.testing.assert_array_equal(averages.value.to_dense(), estimator(layers(2)).to_dense())


@pytest.mark.parametrize(("estimator", "advice"), [(kl.ekfac, "basis=kronlin.kfac"), (kl.shampoo, "decay=0")])
def test_own_bases_are_refused_at_once(estimator, advice):
    with pytest.raises(ValueError, match=f"{estimator.__name__} has eigenvectors of its own.*{advice}"):
        Averages.start(partial(partial(estimator)), None, 0.9)


def test_what_has_no_mean_is_no_numerical_failure():
    averages = Averages.start(kl.kfac_corrected, None, 0.9)
    with pytest.raises(TypeError, match=r"cannot average.*decay=0"):
        averages.update(kl.kfac_corrected, None, layers(0), turn=True)
