"""The main job: what it trains, compares and says."""

import tracemalloc

import numpy as np
import pytest

import kronlin as kl
from kronlin.cli import experiment
from kronlin.sources import files
from tests.libraries import NUMPY
from tests.nets import tiny_layers


@pytest.fixture(scope="module")
def problem():
    return experiment.digits(hidden=(8,), examples=40, seed=1)


def test_the_problem_is_a_trained_classifier(problem):
    assert problem.widths == (64, 8, 10)
    assert problem.parameters == 8 * 65 + 10 * 9
    assert [layer.n for layer in problem.layers] == [40, 40]
    assert 0.3 < problem.accuracy <= 1
    assert problem.rank_bound == 9 * 40


def test_the_rank_bound_holds(problem):
    F = kl.fisher(problem.layers).to_dense()
    assert np.linalg.matrix_rank(F) <= problem.rank_bound


def test_the_seed_decides(problem):
    same, other = (experiment.digits(hidden=(8,), examples=40, seed=seed) for seed in (1, 2))
    np.testing.assert_array_equal(same.gradient, problem.gradient)
    assert abs(other.gradient - problem.gradient).max() > 1e-3


def test_every_candidate_is_compared(problem):
    ((lam, table),) = experiment.run(problem, [0.1], progress=False)
    assert lam == 0.1
    assert len(table.rows) == 2 + 2 * 3 * 4
    assert all(row.converged for row in table.rows if row.iterations is not None)
    exact = kl.fisher(problem.layers).to_dense() + 0.1 * np.eye(problem.parameters)
    assert table["none"].condition == pytest.approx(np.linalg.cond(exact), rel=1e-2)
    sentence = experiment.verdict(lam, table)
    assert table.fastest.name in sentence
    assert table.nearest.name in sentence
    assert str(table["K-FAC"].iterations) in sentence


def test_the_introduction_says_whether_the_matrix_is_singular(problem):
    assert "rank at most 9 · 40 = 360 of 610" in " ".join(experiment.introduction(problem))
    small = experiment.digits(hidden=(2,), examples=100)
    assert "may have full rank" in " ".join(experiment.introduction(small))


def test_nothing_of_size_p_by_p_is_allocated():
    """The largest array is the Gram matrix of the 10 · 64 columns, a twentieth of p × p."""
    problem = experiment.digits(hidden=(32, 32), examples=64)
    tracemalloc.start()
    list(experiment.run(problem, [0.1], progress=False))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * problem.parameters**2 / 2


def test_single_precision_stays_single():
    problem = experiment.digits(hidden=(8,), examples=40, dtype="float32")
    assert problem.gradient.dtype == np.float32
    ((_, table),) = experiment.run(problem, [0.1], progress=False)
    assert table.rtol == pytest.approx(50 * np.finfo(np.float32).eps)
    assert all(row.converged for row in table.rows if row.iterations is not None)


def test_on_every_backend(lib):
    problem = experiment.digits(
        hidden=(4,), examples=20, backend=lib.name.split("-")[0].replace("strict", "array_api_strict")
    )
    expected = experiment.digits(hidden=(4,), examples=20)
    A, B = kl.fisher(problem.layers).damped(0.1), kl.fisher(expected.layers).damped(0.1)
    assert A.kind.library.name == problem.layers[0].inputs.__class__.__module__.split(".")[0].replace("jaxlib", "jax")
    np.testing.assert_allclose(kl.arrays.to_numpy(A @ problem.gradient), B @ expected.gradient, rtol=1e-10, atol=1e-12)


def test_a_file_on_every_backend(lib, tmp_path):
    """Small layers have fewer eigenvectors than ten; single precision stays."""
    path, layers = str(tmp_path / "run.npz"), tiny_layers(NUMPY, "float32")
    gradient = np.ones(12, "float32")
    files.write(path, layers, gradient, 0.5)
    problem = experiment.recorded(path, lib.name.split("-")[0].replace("strict", "array_api_strict"))
    assert problem.rank_bound == 2 * 3
    A = kl.fisher(problem.layers)
    assert A.kind.dtype_name == "float32"
    np.testing.assert_allclose(kl.arrays.to_numpy(A @ problem.gradient), kl.fisher(layers) @ gradient, rtol=1e-4)
    assert "K-FAC + AD, 6 largest" in experiment.candidates(A.damped(0.1), problem.layers, 0.1)


@pytest.mark.parametrize("examples", [0, 100_000])
def test_wrong_number_of_examples(examples):
    with pytest.raises(ValueError, match="choose between 1 and 1797"):
        experiment.digits(examples=examples)


def test_unknown_backend_and_dtype():
    with pytest.raises(ValueError, match="unknown array library 'nompy': the known ones are numpy"):
        experiment.digits(examples=5, backend="nompy")
    with pytest.raises(ValueError, match="unknown dtype 'float16'"):
        experiment.digits(examples=5, dtype="float16")
