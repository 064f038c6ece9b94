"""Leaves: every kind of operator that holds arrays is drawn, on the library that was asked for, and obeys the laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.arrays import kind
from kronlin.testing.strategies import dtypes, leaves, shapes
from kronlin.testing.strategies._leaves import LEAVES
from tests.libraries import fast
from tests.testing.strategies.drawn import COMPLEX, QUICK, REAL, check_twin, draw_one

HOLDING_ARRAYS = [
    kl.Dense,
    kl.Identity,
    kl.Diagonal,
    kl.Zero,
    kl.KhatriRao,
    kl.FisherRoot,
    kl.LowRank,
    kl.Spectral,
    kl.Function,
]


@pytest.mark.parametrize("structure", HOLDING_ARRAYS)
def test_every_structure_can_be_drawn(structure):
    twin = draw_one(leaves(REAL, (2, 2)), lambda twin: type(twin.op) is structure)
    assert twin.op.shape == (2, 2)


@pytest.mark.parametrize("promise", ["is_pd", "is_psd"])
def test_promises_are_drawn(promise):
    draw_one(leaves(REAL, (2, 2)), lambda twin: type(twin.op) is kl.Dense and getattr(twin.op, promise))


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.make.__name__)
@pytest.mark.parametrize("kind", [REAL, COMPLEX], ids=str)
@QUICK
@given(st.data(), shapes(3))
def test_each_obeys_the_laws(leaf, kind, data, shape):
    shape = shape if leaf.fits(shape) else (shape[0], shape[0])
    check_twin(data.draw(leaf.make(kind, shape)), kind, shape)


@pytest.mark.parametrize("library", fast(), ids=str)
@QUICK
@given(st.data(), dtypes(), shapes(3))
def test_they_are_of_the_kind_and_shape_asked_for(library, data, dtype, shape):
    wanted = kind(library.asarray([0.0], dtype))
    check_twin(data.draw(leaves(wanted, shape)), wanted, shape)
