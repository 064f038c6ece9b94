"""Closed: what has a structured method keeps it on its inverse, adjoint, damped and powered forms; nothing turns dense."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.arrays import SingularMatrixError
from kronlin.operators import fallback
from tests.matrices import normal, positive


def _pd(n, seed=0):
    return kl.assume(kl.Dense(positive(n, seed=seed)), "pd")


def _fisher():
    sizes = ((2, 3), (3, 2))
    return kl.fisher([kl.LayerStatistics(normal((3, a), seed=a), normal((3, g), seed=g + 9)) for a, g in sizes])


def _kfac():
    return kl.BlockDiagonal([kl.Kronecker(_pd(2), _pd(2, 1)), kl.Kronecker(_pd(2, 2), _pd(2, 3)), _pd(3)])


OPERATORS = {
    "Dense": _pd(4),
    "Diagonal": kl.Diagonal(np.array([1.0, 2.0, 3.0, 4.0])),
    "Identity": kl.Identity(4, dtype="float64"),
    "Zero": kl.Zero((4, 4), dtype="float64"),
    "Kronecker": kl.Kronecker(_pd(3), _pd(2, 1)),
    "Spectral": kl.Spectral(np.linalg.qr(normal((5, 2)))[0], np.array([1.0, 2.0]), rest=0.5),
    "BlockDiagonal": _kfac(),
    "Fisher": _fisher(),
    "Scaled": 2 * kl.Kronecker(_pd(3), _pd(2, 1)),
}
DERIVED = {
    "itself": lambda a: a,
    "inverse": lambda a: a.inverse(),
    "adjoint": lambda a: a.H,
    "damped": lambda a: a.damped(0.3),
    "inverse of the damped": lambda a: a.damped(0.3).inverse(),
    "square": lambda a: a.power(2),
    "root": lambda a: a.sqrt(),
    "multiple": lambda a: 3 * a,
    "pseudo-inverse": lambda a: a.pinv(),
}
FUNCTIONS = {
    "solve": lambda a: a.solve(np.ones(a.shape[0])),
    "inverse": lambda a: a.inverse().to_dense(),
    "pinv": lambda a: a.pinv().to_dense(),
    "damped": lambda a: a.damped(0.2).to_dense(),
    "power": lambda a: a.power(2).to_dense(),
    "sqrt": lambda a: a.sqrt().to_dense(),
    "trace": lambda a: a.trace(),
    "diagonal": lambda a: a.diagonal(),
    "slogdet": lambda a: np.asarray(a.slogdet()),
    "norm": lambda a: a.norm(),
    "eigvalsh": lambda a: a.eigvalsh(),
}


def _known_by_its_spectrum(matrix):
    """The same matrix without the rounding errors in its null space, which a root would raise to 1e-8."""
    w, q = np.linalg.eigh(matrix)
    kept = w > 1e-12
    return kl.Spectral(q[:, kept], w[kept])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("derived", DERIVED)
@pytest.mark.parametrize("name", OPERATORS)
def test_no_dense_method_is_needed(name, derived, function, monkeypatch):
    op = OPERATORS[name]
    exact = _known_by_its_spectrum(op.to_dense())
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 3)  # the rank of the Fisher matrix, below every size
    try:
        got = FUNCTIONS[function](DERIVED[derived](op))
    except SingularMatrixError:
        assert name in ("Zero", "Fisher")
        assert "inverse" in (derived, function) or function == "solve"
        return
    expected = np.asarray(FUNCTIONS[function](DERIVED[derived](exact)))
    finite = expected[np.isfinite(expected)]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11 * max(1.0, abs(finite).max()))
