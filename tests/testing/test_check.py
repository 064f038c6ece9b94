"""check_operator: right operators pass, and the message for a wrong one is what a user needs."""

import subprocess
import sys
import time

import numpy as np
import pytest

import kronlin as kl
from kronlin.testing import check_operator
from tests.house.tree import ROOT
from tests.libraries import JAX
from tests.matrices import normal, positive

S = positive(4)


def test_the_wrong_dense_twin_is_shown_with_the_simplest_argument():
    wrong = S.copy()
    wrong[1, 2] += 1
    with pytest.raises(
        AssertionError, match=r"\(A @ x\)\[1\]: expected .*, got .*; 1 of 4 .*\n  x = \[0., 0., 1., 0.\]"
    ):
        check_operator(kl.Dense(S), wrong)


def test_the_message_names_the_law_and_the_operator():
    with pytest.raises(AssertionError) as caught:
        check_operator(kl.Function(np.abs, shape=(2, 2), dtype="float64"))
    assert str(caught.value).splitlines() == [
        "the law of linearity is broken: A (c x) = c A x, with c = -1/2, or -i/2 for a complex A, and A (x + y) = A x + A y.",
        "  A = Function(2×2, float64)",
        "  (A @ (-1/2 x))[0]: expected -0.5, got 0.5 (tolerance 1.4e-12; 1 of 2 entries differ)",
        "  x = [1., 0.]",
    ]


def test_the_error_of_an_operator_is_kept_as_the_cause():
    def fails(x):
        raise KeyError("lost")

    with pytest.raises(AssertionError, match="KeyError: 'lost'") as caught:
        check_operator(kl.Function(fails, shape=(2, 2), dtype="float64"), np.eye(2))
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_product_that_fails_is_told():
    with pytest.raises(AssertionError, match=r"Function\(2×2, float64\) @ I fails with ValueError"):
        check_operator(kl.Function(lambda x: x[:1], shape=(2, 2), dtype="float64"))


def test_every_library(lib):
    if lib is not JAX:
        check_operator(kl.Kronecker(lib.asarray(S), lib.asarray(np.ones((2, 1)))))


def test_operators_without_adjoint_are_excused():
    a = normal((3, 2))
    check_operator(kl.Function(lambda x: a @ x, shape=(3, 2), dtype="float64"), a)
    check_operator(kl.Function(lambda x: a.T @ x, shape=(2, 3), dtype="float64"), a.T)


@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (2, 0), (1, 1)], ids=str)
def test_the_smallest_shapes(shape):
    check_operator(kl.Dense(np.ones(shape)))
    check_operator(kl.Zero(shape, dtype="complex64"))


def test_an_array_is_an_operator():
    check_operator(np.eye(3))


def test_the_tolerance_can_be_chosen():
    off = S * (1 + 1e-6)
    with pytest.raises(AssertionError):
        check_operator(kl.Dense(off), S)
    check_operator(kl.Dense(off), S, rtol=1e-4)


def test_the_libraries_can_be_chosen():
    class Host(kl.Dense):
        def _matmat(self, x):
            return np.einsum("...ij,...jk->...ik", self.array, x)

    check_operator(Host(S), libraries=())
    with pytest.raises(AssertionError, match="the law of libraries"):
        check_operator(Host(S), libraries=["array_api_strict"])


def test_no_library_is_imported_for_the_user():
    command = (
        "import sys, numpy, kronlin.testing as t; t.check_operator(numpy.eye(2)); "
        "print({'torch', 'jax', 'cupy', 'hypothesis'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_it_is_quick():
    def seconds():
        start = time.process_time()
        check_operator(kl.Dense(S), libraries=["array_api_strict"])
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.15
