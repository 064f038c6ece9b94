"""check_operator: every law, one after the other."""

from collections.abc import Callable
from typing import Any

from kronlin.algebra import rules
from kronlin.arrays import Array
from kronlin.testing import _arithmetic, _form, _inverses, _products, _spectra
from kronlin.testing._case import BrokenLaw, Case

LAWS: tuple[Callable[[Case], None], ...] = (
    _form.form,
    _products.dense_form,
    _products.vectors,
    _products.blocks,
    _products.products_from_the_left,
    _products.complex_arguments,
    _products.repeatability,
    _products.untouched_inputs,
    _products.linearity,
    _products.adjoint,
    _form.promises,
    _arithmetic.arithmetic,
    _arithmetic.grams,
    _spectra.norms,
    _spectra.traces,
    _spectra.spectra,
    _spectra.powers,
    _inverses.solutions,
    _inverses.inverses,
    _inverses.pseudo_inverses,
    _inverses.determinants,
    _arithmetic.damping,
)


def check_operator(op: Any, dense: Array | None = None, *, rtol: float | None = None) -> None:
    """Check that an operator obeys every law: products, adjoint, arithmetic, inverses, spectra, promises.

    Small operators only: the laws are checked against the matrix.

    Args:
        op: an operator (or an array) of any array library.
        dense: the matrix that it should be, of any array library; `op.to_dense()` if None, which is then itself
            checked against products with unit vectors.
        rtol: tolerance relative to ‖A‖ ‖x‖; if None that of the dtype, 1e-12 in double and 5e-4 in single precision.
            Inverses are allowed `rtol` · cond(A) / 100 where that is more.

    Raises:
        AssertionError: a law is broken; the message says which, with the first entry that is wrong.

    >>> import numpy as np, kronlin as kl
    >>> check_operator(kl.Kronecker(np.eye(2), np.ones((2, 3))))
    >>> check_operator(kl.Function(np.cumsum, shape=(3, 3), dtype="float64"))
    Traceback (most recent call last):
    AssertionError: ...
    """
    op = rules.wrap(op)
    for law in LAWS:
        case = Case(op, _reference(op) if dense is None else dense, rtol)
        try:
            law(case)
        except BrokenLaw as broken:
            raise AssertionError(_report(op, law, str(broken))) from None
        except Exception as error:
            raise AssertionError(_report(op, law, f"{type(error).__name__}: {error}")) from error


def _reference(op: Any) -> Array:
    """The matrix as the operator forms it, or, where it cannot, its products with unit vectors."""
    try:
        return op.to_dense()
    except NotImplementedError:
        return op @ op.kind.eye(op.shape[1])
    except Exception as error:
        raise AssertionError(f"{op!r}.to_dense() fails with {type(error).__name__}: {error}") from error


def _report(op: Any, law: Callable[[Case], None], finding: str) -> str:
    """Word the assertion."""
    statement = (law.__doc__ or "").strip()
    return f"the law of {law.__name__.replace('_', ' ')} is broken: {statement}\n  A = {op!r}\n  {finding}"
