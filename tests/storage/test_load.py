"""load: what it refuses to make, and where it puts what it makes."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.storage import FileFormatError
from tests.algebra.bare import Bare
from tests.libraries import JAX
from tests.matrices import positive
from tests.storage.forge import npy, pack, unpack


def change(path, number, **fields):
    """Give one operator of the file other fields."""
    header, entries = unpack(path)
    header["operators"][number].update(fields)
    pack(path, header, entries)


@pytest.fixture
def path(tmp_path):
    inner = kl.LowRank(kl.KhatriRao(positive(2), positive(2)), 2 * kl.Dense(np.eye(2)))
    kl.save(tmp_path / "file", 0.5 * kl.Kronecker(np.eye(2), inner))
    return tmp_path / "file"


def test_another_library(path, lib):
    A = kl.load(path)
    moved = kl.load(path, to="jax" if lib is JAX else lib.asarray([0.0]))
    assert lib.owns(moved.parts[0].to_dense())
    for found, array in zip(moved._arrays(), A._arrays(), strict=True):
        assert np.array_equal(lib.numpy(found), array)
    with pytest.raises(ValueError, match="unknown array library 'tensorflow'"):
        kl.load(path, to="tensorflow")


def test_a_class_that_was_not_given_is_not_made(tmp_path):
    kl.save(tmp_path / "file", kl.Kronecker(Bare(np.eye(2)), np.eye(2)))
    with pytest.raises(FileFormatError, match=r"holds a tests\.algebra\.bare\.Bare.*classes=\[…\]"):
        kl.load(tmp_path / "file")
    assert type(kl.load(tmp_path / "file", classes=[Bare]).factors[0]) is Bare
    with pytest.raises(TypeError, match="subclasses of kronlin"):
        kl.load(tmp_path / "file", classes=[dict])


@pytest.mark.parametrize("name", ["builtins.eval", "os.system", "kronlin.Operator", "kronlin.Nothing", "", None, 3, []])
def test_other_classes_are_not_made(path, name):
    change(path, 0, **{"class": name})
    with pytest.raises(FileFormatError, match="cannot be loaded"):
        kl.load(path)


@pytest.mark.parametrize(
    "fields",
    [
        {"shape": [3, 3]},
        {"batch": [2]},
        {"promised": [False, True, None]},
        {"promised": ["yes", None, None]},
        {"parts": []},
        {"parts": [{"array": 99}]},
        {"parts": [{"array": -1}]},
        {"parts": [{"operator": 0}]},
        {"parts": [{"path": "/etc/passwd"}]},
        {"parts": None},
        {"options": {"code": "1 + 1"}},
        {"options": {"array": {"array": 99}}},
        {"adjoint": 7},
        {"adjoint of": 0},
        {"adjoint of": -1},
    ],
    ids=str,
)
def test_other_records_are_refused(path, fields):
    change(path, 0, **fields)
    with pytest.raises(FileFormatError, match="cannot be loaded"):
        kl.load(path)


def test_records_in_a_circle_are_refused(path):
    header, entries = unpack(path)
    header["operators"].reverse()
    pack(path, header, entries)
    with pytest.raises(FileFormatError, match="not among the first"):
        kl.load(path)
    pack(path, {**header, "operators": []}, entries)
    with pytest.raises(FileFormatError, match="cannot be loaded"):
        kl.load(path)


@pytest.mark.parametrize(
    "array", [np.array([[np.nan, 1.0], [0.0, 1.0]]), np.full((2, 2), np.inf), np.full((2, 2), "x")]
)
def test_arrays_that_are_not_finite_are_refused(path, tmp_path, array):
    header, entries = unpack(path)
    entries["0.npy"] = npy(array, tmp_path)
    header["arrays"][0] = {"dtype": array.dtype.str, "shape": [2, 2]}
    pack(path, header, entries)
    with pytest.raises(FileFormatError, match="NaN, infinite, or no number"):
        kl.load(path)


def test_what_is_missing_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        kl.load(tmp_path / "nothing")
    assert issubclass(FileFormatError, ValueError)
