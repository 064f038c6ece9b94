"""Laws of `diagonal_fisher`: the diagonal of the exact Fisher matrix, with nothing large formed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.curvature import LayerStatistics, diagonal_fisher, fisher
from kronlin.operators import Diagonal
from kronlin.testing import check_operator
from tests.libraries import eager, fast
from tests.memory import peak_of
from tests.nets import NETS, close, fisher_by_definition, layer_lists, layers_of, random_layers, reference, tiny_layers


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize(("columns", "key"), [("g2", "F"), ("ge", "Femp"), ("gmc", "Fmc")])
def test_reference_diagonals(name, columns, key):
    data = reference(name)
    close(diagonal_fisher(layers_of(data, columns)).diagonal(), np.diag(data[key]))


@given(layer_lists(), st.sampled_from([1, 600, 2**28]))
def test_definition(layers, limit):
    with memory_limit(limit):
        D = diagonal_fisher(layers)
    close(D.diagonal(), np.diag(fisher_by_definition(layers)))
    np.testing.assert_allclose(D.trace(), fisher(layers).trace(), rtol=1e-13)


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_complex_layers(lib):
    layers = random_layers(np.random.default_rng(0), 3, 2, [(4, 3), (2, 2)], [2, 1], lib, "complex128")
    D = diagonal_fisher(layers)
    assert D.dtype == lib.xp.complex128
    assert D.is_psd is True
    close(lib.numpy(D.diagonal()), np.diag(fisher_by_definition(layers, lib)))


def test_a_complex_layer_makes_all_complex():
    real, other = (
        random_layers(np.random.default_rng(0), 3, 2, [(2, 2)], dtype=t)[0] for t in ("float64", "complex128")
    )
    close(diagonal_fisher([real, other]).diagonal(), np.diag(fisher_by_definition([real, other])))


def test_every_library(lib):
    layers, b = tiny_layers(lib), np.arange(12.0)
    D, wanted = diagonal_fisher(layers), np.diag(fisher_by_definition(layers, lib))
    close(lib.numpy(D.diagonal()), wanted)
    solution = D.damped(0.1).solve(lib.asarray(b))
    close(lib.numpy(solution), b / (wanted + 0.1))
    assert lib.owns(solution)


@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library):
    check_operator(diagonal_fisher(tiny_layers(library)))


def test_float32_stays_float32(lib):
    layers = tiny_layers(lib, "float32")
    D = diagonal_fisher(layers)
    assert D.dtype == lib.xp.float32
    assert lib.owns(D.diagonal())
    close(lib.numpy(D.diagonal()), np.diag(fisher_by_definition(layers, lib).astype(float)), 1e-6)


def test_type_and_promises():
    layers = random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3)], 2)
    D = diagonal_fisher(layers)
    assert type(D) is Diagonal
    assert type(D.damped(0.1).inverse()) is Diagonal
    assert D.is_pd is True


@pytest.mark.parametrize("S", [1, 2])
def test_a_layer_without_curvature(S):
    dead = LayerStatistics(np.ones((3, S, 2)), np.zeros((3, S, 1, 4)))
    D = diagonal_fisher([dead])
    assert D.is_psd is True
    close(D.damped(0.5).solve(np.ones(8)), np.full(8, 2.0))
    close(D.diagonal(), np.zeros(8))


@pytest.mark.parametrize("S", [1, 2])
def test_the_root_is_not_formed(S):
    """With p = 5000 and n K = 2000 it would take 80 MB."""
    layers = random_layers(np.random.default_rng(0), 200, 10, [(50, 100)], S)
    whole = diagonal_fisher(layers).diagonal()
    with memory_limit(2**20):
        D, peak = peak_of(lambda: diagonal_fisher(layers))
    close(D.diagonal(), whole, 1e-13)
    assert peak < 2**20 + 5 * D.nbytes


def test_layers_are_checked():
    with pytest.raises(ValueError, match="layers is empty"):
        diagonal_fisher([])
    layers = [random_layers(np.random.default_rng(0), 2, 1, [(2, 3)], dtype=t)[0] for t in ("float32", "float64")]
    with pytest.raises(ValueError, match="the diagonal of a Fisher matrix mixes numpy float32 with numpy float64"):
        diagonal_fisher(layers)
    large = LayerStatistics(np.full((1, 1), 1e200), np.full((1, 1), 1e200))
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="NaN or infinite"):
        diagonal_fisher([large])
