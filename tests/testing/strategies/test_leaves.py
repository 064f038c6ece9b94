"""Leaves: every kind of operator that holds arrays is drawn, on the library that was asked for, and obeys the laws."""

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import kronlin as kl
from kronlin.arrays import kind
from kronlin.testing import check_operator
from kronlin.testing.strategies import dtypes, leaves, shapes
from tests.libraries import NUMPY, fast

SQUARE = [kl.Dense, kl.Identity, kl.Diagonal, kl.Zero, kl.KhatriRao, kl.LowRank, kl.Spectral, kl.Function]
KIND = kind(NUMPY.asarray([0.0]))


@pytest.mark.parametrize("structure", SQUARE)
def test_every_structure_can_be_drawn(structure):
    settled = settings(max_examples=1000, derandomize=True, database=None, phases=[Phase.generate])
    twin = find(leaves(KIND, (2, 2)), lambda twin: type(twin.op) is structure, settings=settled)
    assert twin.op.shape == (2, 2)


@pytest.mark.parametrize("promise", ["is_pd", "is_psd"])
def test_promises_are_drawn(promise):
    find(leaves(KIND, (2, 2)), lambda twin: type(twin.op) is kl.Dense and getattr(twin.op, promise))


@pytest.mark.parametrize("library", fast(), ids=str)
@settings(suppress_health_check=list(HealthCheck), max_examples=25)
@given(st.data(), dtypes(), shapes(3))
def test_they_are_of_the_kind_and_shape_asked_for_and_obey_the_laws(library, data, dtype, shape):
    wanted = kind(library.asarray([0.0], dtype))
    twin = data.draw(leaves(wanted, shape))
    assert twin.op.kind == wanted
    assert twin.op.shape == twin.dense.shape == shape
    check_operator(twin.op, twin.dense, rtol=1e-9 if "64" in dtype and dtype != "complex64" else 5e-3)
