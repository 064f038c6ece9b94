"""Nested random operators obey every law: the widest net over the algebra and its rules."""

import pytest
from hypothesis import HealthCheck, assume, find, given, settings
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Adjoint, Conjugate, Power, Product, Scaled, Sum
from kronlin.testing import check_operator
from kronlin.testing._moves import everything
from kronlin.testing.strategies import Twin, kinds, operators
from kronlin.testing.strategies._nested import LARGEST, is_moderate
from tests.testing.strategies.drawn import draw_one

EXPRESSIONS = [
    kl.Kronecker,
    kl.KroneckerSum,
    kl.BlockMatrix,
    kl.BlockTridiagonal,
    kl.BlockDiagonal,
    kl.VStack,
    kl.HStack,
    kl.LowRank,
    kl.Spectral,
    Sum,
    Product,
    Scaled,
    Power,
    Adjoint,
    Conjugate,
]
DOUBLE = st.sampled_from(["float64", "complex128"])
FEW = settings(suppress_health_check=list(HealthCheck), max_examples=settings().max_examples // 2)


@pytest.mark.parametrize("structure", EXPRESSIONS)
def test_every_expression_can_be_drawn(structure):
    found = draw_one(
        operators(kind=kinds(dtype=st.just("complex128")), depth=2),
        lambda twin: structure in map(type, everything(twin.op)),
    )
    assert found.op.shape == found.dense.shape


def test_examples_shrink_to_what_can_be_read():
    twin = find(operators(shape=st.just((1, 2)), depth=1), lambda twin: twin.dense.any())
    assert repr(twin) in ("Dense([[0. , 0.5]]) [numpy float64]", "Dense([[0.5, 0. ]]) [numpy float64]")


@given(operators(shape=st.just((2, 3)), depth=2))
def test_the_shape_can_be_chosen(twin):
    assert twin.op.shape == twin.dense.shape == (2, 3)


def test_norms_stay_moderate():
    op = kl.Dense(1e9 * twos())
    assert not is_moderate(Twin(op, op.to_dense(), "large"))
    assert not is_moderate(Twin(op, op.to_dense(), "small", size=1e-9))
    assert is_moderate(Twin(kl.Dense(twos()), twos(), "moderate"))
    assert is_moderate(Twin(kl.Dense(0 * twos()), 0 * twos(), "zero"))
    assert LARGEST**2 < 3e38


def twos():
    """A matrix of twos."""
    return kl.Zero((2, 2), dtype="float64").to_dense() + 2


@FEW
@given(operators(kind=kinds("numpy", "array_api_strict", dtype=DOUBLE)))
def test_double_precision_obeys_the_laws(twin):
    assume(not twin.cancels)
    check_operator(twin.op, twin.dense, rtol=1e-9, libraries=["numpy"])


@FEW
@given(operators(kind=kinds(dtype=st.sampled_from(["float32", "complex64"])), depth=2))
def test_single_precision_obeys_the_laws(twin):
    assume(not twin.cancels)
    check_operator(twin.op, twin.dense, rtol=5e-3, libraries=[])


@FEW
@given(operators(kind=kinds("array_api_strict:device1", dtype=DOUBLE), depth=2))
def test_another_device_obeys_the_laws(twin):
    assume(not twin.cancels)
    check_operator(twin.op, twin.dense, rtol=1e-9, libraries=[])
