"""The list of array libraries: every array finds its own."""

import sys

import numpy as np
import pytest

from kronlin.arrays import LIBRARIES, find_libraries, kind, library_named
from kronlin.arrays._libraries import lookup
from tests.libraries import installed


def test_the_list_is_keyed_by_the_names_of_the_libraries():
    assert list(LIBRARIES) == ["numpy", "cupy", "torch", "jax", "array_api_strict"]
    for name, library in LIBRARIES.items():
        assert library.name == name
        assert library_named(name) is library


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"unknown array library 'pytorch': .* numpy, cupy, torch, jax, array_api_strict"
    ):
        library_named("pytorch")


def test_an_array_finds_its_library_and_namespace(lib):
    x = lib.asarray(np.ones(2))
    xp, library = lookup(x)
    assert xp is lib.xp
    assert library.namespace() is xp
    assert lookup(x) is lookup(lib.asarray(np.zeros((2, 2))))
    assert kind(x).library is library


def test_found_libraries_are_those_that_can_be_imported():
    expected = {"array_api_strict" if lib.name.startswith("strict") else lib.name.split("-")[0] for lib in installed()}
    assert set(find_libraries()) == expected
    assert find_libraries()[0] == "numpy"


def test_a_library_that_cannot_be_imported_is_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert not {"torch", "cupy"} & set(find_libraries())
    with pytest.raises(ImportError, match=r"kronlin\[torch\]"):
        library_named("torch").namespace()


def test_an_array_of_an_unknown_library_is_refused_by_type():
    with pytest.raises(TypeError, match=r"expected an array .*not memoryview"):
        lookup(memoryview(b""))
