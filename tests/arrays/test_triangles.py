"""Triangles of Hermitian matrices, in one piece and in several."""

import numpy as np
import pytest

from kronlin.arrays import _triangles, kind
from kronlin.arrays._triangles import is_hermitian, mirror, triangle
from tests.matrices import DTYPES, adjoint, each_stack, hermitian, normal

SIZES = pytest.mark.parametrize("tile", [2, 3, 256])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (2,)])
@SIZES
def test_a_triangle_and_its_mirror_image_make_the_hermitian_part(dtype, batch, tile, monkeypatch):
    monkeypatch.setattr(_triangles, "_TILE", tile)
    a = normal((*batch, 7, 7), dtype)
    half = triangle(a)
    whole = (a + adjoint(a)) / 2
    assert half.dtype == a.dtype
    assert np.array_equal(half.swapaxes(-1, -2), np.tril(whole))
    mirror(half)
    assert np.array_equal(half.swapaxes(-1, -2), whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (2,)])
@SIZES
def test_hermitian_to_a_tolerance(dtype, batch, tile, monkeypatch):
    monkeypatch.setattr(_triangles, "_TILE", tile)
    a = hermitian(7, dtype, batch=batch)
    assert is_hermitian(a, 0.0)
    crooked = a.copy()
    crooked[..., 5, 1] += 1e-2 * np.abs(a).max()
    assert is_hermitian(crooked, 0.1)
    assert not is_hermitian(crooked, 1e-3)


@each_stack()
def test_every_library_tells_a_hermitian_matrix(lib, dtype, batch):
    a = hermitian(4, dtype, batch=batch)
    library = kind(lib.asarray(a)).library
    assert library.is_hermitian(lib.asarray(a), 1e-6)
    assert not library.is_hermitian(lib.asarray(normal((*batch, 4, 4), dtype)), 1e-6)
