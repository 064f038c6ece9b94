"""The forms of the inverse of B + U C Vᴴ, each held against the dense matrix and asked where it declines."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Product, Sum, rules
from kronlin.operators.dense import Dense
from kronlin.operators.updates import CholeskyUpdate, CompressedUpdate, EigenUpdate, LUUpdate, WhitenedUpdate
from tests.libraries import NUMPY
from tests.matrices import normal
from tests.operators.laws import close
from tests.operators.updated import N, R, core, tall, updated


def parts(base, middle, lam=0.5, v=None, promise=None):
    """The base, the low-rank term and the dense matrix of their sum."""
    op, dense = updated(NUMPY, base, tall("Gaussian", "float64"), core(middle, "float64"), lam, v, promise)
    places = [i for i, term in enumerate(op.terms) if isinstance(term, kl.LowRank)]
    return op.terms[1 - places[0]], op.terms[places[0]], dense


def holds(update, dense, kind_of_inverse):
    b = normal((N, 3), seed=1)
    close(update.solve(b), np.linalg.solve(dense, b), rtol=1e-10)
    inverse = update.inverse()
    assert type(inverse) is kind_of_inverse
    close(inverse.to_dense(), np.linalg.inv(dense), rtol=1e-10)
    sign, logarithm = update.slogdet()
    expected = np.linalg.slogdet(dense)
    assert (float(sign), float(logarithm)) == (pytest.approx(expected[0]), pytest.approx(expected[1], rel=1e-10))


@pytest.mark.parametrize("base", ["I", "Kronecker"])
def test_cholesky(base):
    b, term, dense = parts(base, "singular", promise="psd")
    root = term.C.sqrt()
    system = Dense(
        np.eye(R) + root.to_dense() @ term.U.array.T @ b.inverse().to_dense() @ term.U.array @ root.to_dense()
    )
    holds(CholeskyUpdate(b, b.inverse(), b.inverse() @ term.U, root, kl.assume(system, "pd")), dense, Sum)


@pytest.mark.parametrize("base", ["I", "Kronecker"])
def test_lu(base):
    b, term, dense = parts(base, "general", v=normal((N, R), seed=9))
    left, right = b.inverse() @ term.U, b.inverse() @ term.V
    system = Dense(np.eye(R) + term.V.array.T @ left.to_dense() @ term.C.to_dense())
    holds(LUUpdate(b, b.inverse(), left, right, term.C, system), dense, Sum)


@pytest.mark.parametrize(("middle", "promise"), [("psd", "psd"), ("singular", "psd"), ("indefinite", "self-adjoint")])
def test_eigenbasis(middle, promise):
    b, term, dense = parts("I", middle, promise=promise)
    holds(EigenUpdate.find(b, term), dense, kl.Spectral)


@pytest.mark.parametrize("two_sided", [False, True])
def test_compressed(two_sided):
    b, term, dense = parts("I", "general", v=normal((N, R), seed=9) if two_sided else None)
    update = CompressedUpdate.find(b, term)
    assert update.P.shape == (N, 2 * R if two_sided else R)
    holds(update, dense, Sum)


@pytest.mark.parametrize(("middle", "form"), [("psd", "whitened eigenbasis"), ("general", "whitened compressed")])
def test_whitened(middle, form):
    b, term, dense = parts("Kronecker", middle, promise="psd" if middle == "psd" else None)
    update = WhitenedUpdate.find(b, term)
    assert update.form == form
    holds(update, dense, Product)


def test_where_a_form_declines():
    multiple, term, _ = parts("I", "psd", promise="psd")
    kronecker, skew, _ = parts("Kronecker", "general")
    assert EigenUpdate.find(kronecker, term) is None
    assert EigenUpdate.find(multiple, skew) is None
    assert EigenUpdate.find(rules.scale(multiple, 1j), term) is None
    assert CompressedUpdate.find(kronecker, term) is None
    assert CompressedUpdate.find(multiple, kl.LowRank(normal((N, N // 2)), None, normal((N, N // 2), seed=1))) is None
    assert WhitenedUpdate.find(-kronecker, term) is None
    unreadable = kl.assume(kl.Function(lambda x: 2 * x, shape=(5000, 5000), dtype="float64"), "pd")
    assert WhitenedUpdate.find(unreadable, kl.LowRank(normal((5000, 2)))) is None


def test_the_eigenbasis_is_found_once_for_all_multiples(monkeypatch):
    import kronlin.operators.dual as module

    calls, real = [], module.qr
    monkeypatch.setattr(module, "qr", lambda a: calls.append(a.shape) or real(a))
    term = kl.LowRank(tall("Gaussian", "float64"))
    for lam in (1e-12, 1e-10, 1e-9):
        term.damped(lam).solve(np.ones(N))
    assert calls == [(N, R)]
