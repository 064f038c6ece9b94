"""Nested random operators obey every law: the widest net over the algebra and its rules."""

import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Power, Product, Scaled, Sum
from kronlin.arrays import kind
from kronlin.testing import check_operator
from kronlin.testing.strategies import kinds, operators
from tests.libraries import STRICT_DEVICE, fast

EXPRESSIONS = [
    kl.Kronecker,
    kl.KroneckerSum,
    kl.BlockDiagonal,
    kl.VStack,
    kl.HStack,
    kl.LowRank,
    Sum,
    Product,
    Scaled,
    Power,
]
DOUBLE = st.sampled_from(["float64", "complex128"])


@pytest.mark.parametrize("structure", EXPRESSIONS)
def test_every_expression_can_be_drawn(structure):
    settled = settings(max_examples=2000, derandomize=True, database=None, phases=[Phase.generate])
    found = find(
        operators(kind=kinds(dtype=st.just("float64")), depth=1),
        lambda twin: type(twin.op) is structure,
        settings=settled,
    )
    assert found.op.shape == found.dense.shape


def test_examples_shrink_to_what_can_be_read():
    twin = find(operators(shape=st.just((1, 2)), depth=1), lambda twin: twin.dense.any())
    assert repr(twin) in ("Dense([[0. , 0.5]]) [numpy float64]", "Dense([[0.5, 0. ]]) [numpy float64]")


@given(operators(shape=st.just((2, 3)), depth=2))
def test_the_shape_can_be_chosen(twin):
    assert twin.op.shape == twin.dense.shape == (2, 3)


@settings(suppress_health_check=list(HealthCheck))
@given(operators(kind=kinds("numpy", "array_api_strict", dtype=DOUBLE)))
def test_double_precision_obeys_the_laws(twin):
    assume(not twin.cancels)
    check_operator(twin.op, twin.dense, rtol=1e-9)


@settings(suppress_health_check=list(HealthCheck))
@given(operators(kind=kinds(dtype=st.sampled_from(["float32", "complex64"])), depth=2))
def test_single_precision_obeys_the_laws(twin):
    assume(not twin.cancels)
    check_operator(twin.op, twin.dense, rtol=5e-3)


@settings(suppress_health_check=list(HealthCheck))
@given(operators(kind=DOUBLE.map(lambda dtype: kind(STRICT_DEVICE.asarray([0.0], dtype))), depth=2))
def test_another_device_obeys_the_laws(twin):
    assume(not twin.cancels)
    check_operator(twin.op, twin.dense, rtol=1e-9)


def test_kinds_are_those_of_the_named_libraries():
    names = {library.xp.__name__ for library in fast()}
    assert find(kinds("array_api_strict"), lambda kind: True).xp.__name__ in names
    assert find(kinds(), lambda kind: True).dtype_name == "float64"
