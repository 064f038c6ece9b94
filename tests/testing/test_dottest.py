"""dottest: one pair of vectors tells a wrong adjoint; the arguments mean what they mean in PyLops."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.testing import dottest
from tests.faults import FAULTS
from tests.matrices import normal

A = normal((3, 4))


@pytest.mark.parametrize("complexflag", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", ["float64", "complex128", "float32", "complex64"])
def test_right(dtype, complexflag):
    assert dottest(kl.Dense(normal((3, 4), dtype)), 3, 4, complexflag=complexflag) is True


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.law == "dot test"], ids=lambda fault: fault.title)
def test_wrong(fault):
    with fault.plant():
        op, _ = fault.make()
        with pytest.raises(AssertionError, match=r"dot test failed: ⟨A x, y⟩ = .*, ⟨x, Aᴴ y⟩ = "):
            dottest(op, complexflag=3)
        assert dottest(op, complexflag=3, raiseerror=False) is False


def test_a_missing_conjugate_is_seen_with_real_vectors_too():
    a = normal((3, 4), "complex128")
    wrong = kl.Function(lambda x: a @ x, lambda y: a.T @ y, shape=a.shape, dtype="complex128")
    assert dottest(wrong, raiseerror=False) is False


def test_the_shape_is_checked():
    for sizes in ((4, 3), (None, 3), (4, None)):
        with pytest.raises(AssertionError, match=r"is not \d×\d"):
            dottest(A, *sizes)


def test_the_complexflag_is_checked():
    with pytest.raises(ValueError, match=r"complexflag is 0 .* not 4"):
        dottest(A, complexflag=4)


def test_tolerances_and_seed_are_heard():
    scaled = kl.Function(lambda x: A @ x, lambda y: A.T @ y * (1 + 1e-6), shape=A.shape, dtype="float64")
    with pytest.raises(AssertionError):
        dottest(scaled, seed=3)
    assert dottest(scaled, rtol=1e-3, seed=3)
    assert dottest(scaled, atol=1.0, seed=3)


def test_both_products_are_printed(capsys):
    dottest(A, verb=True)
    dottest(kl.Dense(A), verb=True, seed=1)
    passed = capsys.readouterr().out.splitlines()
    assert len(passed) == 2
    assert all(line.startswith("dot test passed: ⟨A x, y⟩ = ") for line in passed)
    assert passed[0] != passed[1]
    wrong = kl.Function(lambda x: A @ x, lambda y: -A.T @ y, shape=A.shape, dtype="float64")
    dottest(wrong, verb=True, raiseerror=False)
    assert capsys.readouterr().out.startswith("dot test failed: ")


def test_every_library(lib):
    assert dottest(kl.KhatriRao(lib.asarray(np.ones((2, 3))), lib.asarray(np.eye(3))), complexflag=3)
