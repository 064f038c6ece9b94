"""Kinds: libraries and devices by name."""

import sys

import array_api_strict
import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from kronlin.arrays import find_libraries, kind
from kronlin.testing.strategies import kinds, libraries
from kronlin.testing.strategies._kinds import kind_of, to
from tests.libraries import NUMPY, STRICT_DEVICE, TORCH, fast


def test_kinds_are_those_of_the_named_libraries():
    names = {library.xp.__name__ for library in fast()}
    assert find(kinds("array_api_strict"), lambda kind: True).xp.__name__ in names
    assert find(kinds(), lambda kind: True) == kind(NUMPY.asarray(0.0))


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_a_device_is_named_after_a_colon(dtype):
    assert kind_of("array_api_strict:device1", dtype) == kind(STRICT_DEVICE.asarray(0.0, dtype))
    if TORCH.name in find_libraries():
        assert kind_of("torch:cpu", dtype) == kind(TORCH.asarray(0.0, dtype))


@given(libraries())
def test_every_library_named_can_be_had(name):
    assert kind_of(name, "float32").dtype_name == "float32"


def test_no_library_is_imported_for_the_user(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    found = set()
    given(st.data())(lambda data: found.add(data.draw(libraries())))()
    assert found == {"numpy", "array_api_strict", "array_api_strict:device1"}


def test_arrays_are_carried_to_the_device():
    made = to(kind_of("array_api_strict:device1", "float64"), np.ones(2))
    assert made.device == array_api_strict.Device("device1")
