"""check_operator: every law, one after the other."""

from collections.abc import Callable, Iterable
from inspect import cleandoc
from typing import Any

from kronlin.algebra import rules
from kronlin.arrays import Array
from kronlin.testing import (
    _adjoint,
    _arithmetic,
    _derived,
    _effects,
    _form,
    _inverses,
    _moves,
    _nested,
    _products,
    _spectra,
    _storage,
)
from kronlin.testing._case import BrokenLaw, Case

Law = Callable[[Case], None]

LAWS: tuple[Law, ...] = (
    _form.form,
    _effects.untouched_inputs,
    _effects.results_stay,
    _effects.repeatability,
    _effects.independence,
    _products.linearity,
    _products.vectors,
    _products.blocks,
    _products.mixed_arguments,
    _adjoint.dot_test,
    _adjoint.adjoint,
    _products.dense_form,
    _products.products_from_the_left,
    _form.promises,
    _spectra.norms,
    _spectra.traces,
    _spectra.spectra,
    _spectra.powers,
    _inverses.solutions,
    _inverses.inverses,
    _inverses.pseudo_inverses,
    _inverses.determinants,
    _arithmetic.arithmetic,
    _derived.damping,
    _derived.of_the_adjoint,
    _derived.squares,
    _derived.of_the_inverse,
    _moves.precisions,
    _moves.libraries,
    _storage.storage,
    _nested.terms_of_a_sum,
    _nested.factors_of_a_product,
    _nested.factors_of_a_kronecker_product,
    _nested.blocks_of_a_block_diagonal,
)
"""In the order in which they are checked: what a later law takes for granted comes first."""


def check_operator(
    op: Any, dense: Array | None = None, *, rtol: float | None = None, libraries: Iterable[str] | None = None
) -> None:
    """Check that an operator obeys every law: products, adjoint, arithmetic, inverses, spectra, promises, company.

    The laws are those of a matrix, checked for the operator, for what is made from it (adjoint, inverse, damped and
    squared operator), for larger operators that hold it (a block diagonal, a Kronecker product, a sum, a product), and
    for the same operator in another precision, in other array libraries and from a file. What the operator does not
    have is not asked for: one without an adjoint, or made of functions that cannot be moved, is excused there.
    For small operators: everything is held against the matrix. A 4×4 operator takes 0.1 s.

    Args:
        op: an operator (or an array) of any array library.
        dense: the matrix that it should be, of any array library; its products with the unit vectors if None.
        rtol: tolerance relative to ‖A‖ ‖x‖; if None that of the dtype, 1e-12 in double and 5e-4 in single precision.
            Inverses are allowed `rtol` · cond(A) / 100 where that is more.
        libraries: names of other array libraries on which it must be the same operator. If None: those that your
            program has imported already, and array-api-strict if it is installed; () for none.

    Raises:
        AssertionError: a law is broken; the message says which, with the simplest argument found that shows it.

    >>> import numpy as np, kronlin as kl
    >>> check_operator(kl.Kronecker(np.eye(2), np.ones((2, 3))))
    >>> check_operator(kl.Function(np.abs, shape=(2, 2), dtype="float64"))
    Traceback (most recent call last):
    AssertionError: the law of linearity is broken: A (c x) = c A x, with c = -1/2, or -i/2 for a complex A, ...
      A = Function(2×2, float64)
      (A @ (-1/2 x))[0]: expected -0.5, got 0.5 (tolerance 1.4e-12; 1 of 2 entries differ)
      x = [1., 0.]
    """
    op = rules.wrap(op)
    case = Case(op, _reference(op) if dense is None else dense, rtol)
    for law in LAWS:
        case.restart()
        try:
            law(case) if law is not _moves.libraries else _moves.libraries(case, libraries)
        except BrokenLaw as broken:
            raise AssertionError(_report(op, law, str(broken))) from broken.__cause__
        except Exception as error:
            raise AssertionError(_report(op, law, f"{type(error).__name__}: {error}")) from error


def _reference(op: Any) -> Array:
    """The products with the unit vectors."""
    try:
        return op @ op.kind.eye(op.shape[1])
    except Exception as error:
        raise AssertionError(f"{op!r} @ I fails with {type(error).__name__}: {error}") from error


def _report(op: Any, law: Law, finding: str) -> str:
    """Word the assertion."""
    statement = cleandoc(law.__doc__ or "").replace("\n\n", "\n  ")
    return f"the law of {law.__name__.strip('_').replace('_', ' ')} is broken: {statement}\n  A = {op!r}\n  {finding}"
