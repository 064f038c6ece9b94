"""Closed: what has a structured method keeps it on its inverse, adjoint, damped and powered forms, and is right there."""

import numpy as np
import pytest

import kronlin as kl
from tests.house.tree import ROOT
from tests.operators.closure import DERIVED, FUNCTIONS, OPERATORS, attempt, rst, table

CLOSED = ("Dense", "Diagonal", "Identity", "Zero", "Kronecker", "KroneckerSum", "Spectral", "BlockDiagonal", "c A")
CLOSED += ("LowRank (the exact Fisher)", "LowRank + λ I")


def _twin(name):
    """The same matrix: of a psd one without the rounding errors in its null space, which a root would raise to 1e-8."""
    matrix = OPERATORS[name]().to_dense()
    if not np.allclose(matrix, matrix.T):
        return kl.Dense(matrix)
    w, q = np.linalg.eigh(matrix)
    kept = w > 1e-12
    return kl.Spectral(q[:, kept], w[kept])


@pytest.mark.parametrize("derived", DERIVED)
@pytest.mark.parametrize("name", OPERATORS)
def test_what_is_structured_is_right(name, derived):
    for function in FUNCTIONS:
        got = attempt(name, derived, function)
        if isinstance(got, str):
            assert got == "singular" or name not in CLOSED, f"{function} is {got}"
            continue
        expected = np.asarray(FUNCTIONS[function](DERIVED[derived](_twin(name))))
        size = max(1.0, abs(expected[np.isfinite(expected)]).max())
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10 * size, err_msg=function)


def test_the_table_of_the_documentation_is_what_is_found():
    page = (ROOT / "docs" / "operators.rst").read_text(encoding="utf-8")
    assert "\n".join(rst(table())) in page
