"""replay: the application of an operator as a CUDA graph."""

import numpy as np
import pytest

import kronlin as kl
from tests.matrices import normal, positive
from tests.nets import close


def structured(lib):
    """A damped inverse of blocks, a two-level preconditioner on top."""
    K = kl.BlockDiagonal([kl.Kronecker(lib.asarray(positive(3)), lib.asarray(positive(2, seed=i))) for i in range(3)])
    A = K.damped(0.1)
    return kl.two_level(A, A.inverse(), kl.coarse.nicolaides(K), "BNN")


@pytest.mark.parametrize("columns", [(), (2,)], ids=["one", "two"])
def test_it_is_the_application(cuda, columns):
    A = structured(cuda)
    apply = kl.replay(A, A.kind.ones(18, *columns))
    for seed in range(2):
        x = cuda.asarray(normal((18, *columns), seed=seed))
        y = apply(x)
        assert cuda.owns(y)
        close(cuda.numpy(y), cuda.numpy(A @ x), 1e-14)


def test_other_shapes_and_kinds_are_refused(cuda):
    A = structured(cuda)
    apply = kl.replay(A, A.kind.ones(18))
    for wrong in (A.kind.ones(17), A.kind.ones(18, 1), A.astype("float32").kind.ones(18)):
        with pytest.raises(ValueError, match=r"recorded for \(18,\) of cupy float64.*call replay again"):
            apply(wrong)


def test_only_an_operator_can_be_recorded():
    with pytest.raises(TypeError, match="takes an operator, not ndarray"):
        kl.replay(np.eye(2), np.ones(2))


def test_only_cupy_can_record(lib):
    if lib.name == "cupy":
        return
    A = kl.Dense(lib.asarray(np.eye(2)))
    with pytest.raises(TypeError, match="no graphs to record"):
        kl.replay(A, A.kind.ones(2))
