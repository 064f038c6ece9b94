"""The layout changes, and nothing else."""

import numpy as np

import kronlin as kl
from kronlin.preconditioner._in_rows import in_rows
from tests.matrices import each_dtype, positive


def test_layout():
    turned = np.asfortranarray(positive(3))
    A = kl.BlockDiagonal([kl.assume(kl.Dense(turned), "psd"), kl.Kronecker(turned, np.eye(2))])
    (found,) = in_rows(A)
    assert not all(array.flags.c_contiguous for array in A._arrays())
    assert all(array.flags.c_contiguous for array in found._arrays())
    assert found.properties == A.properties
    np.testing.assert_array_equal(found.to_dense(), A.to_dense())


def test_what_is_shared_stays_shared():
    q = positive(3)
    one, other = in_rows(kl.Dense(q), kl.Kronecker(q, q))
    assert one.array is other.factors[0].array
    assert one.array is other.factors[1].array


@each_dtype(("float32",))
def test_every_library(lib, dtype):
    A = kl.Selection([1, 0], 3, like=lib.asarray([0.0], dtype))
    (found,) = in_rows(A)
    assert found.kind == A.kind
    np.testing.assert_array_equal(lib.numpy(found.to_dense()), lib.numpy(A.to_dense()))
