"""Which functions of which operators have a structured method, found by trying them with the dense method forbidden.

    python -m tests.operators.closure

prints the table of docs/operators.rst.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse

import kronlin as kl
from kronlin.arrays import NotPositiveDefiniteError, SingularMatrixError
from kronlin.operators import Congruence, blocklu, fallback, schur, substitution
from tests.matrices import normal, positive

LIMIT = 3
"""The rank of the Fisher matrix below, under every size."""


def _pd(n: int, seed: int = 0) -> kl.Operator:
    return kl.assume(kl.Dense(positive(n, seed=seed)), "pd")


def _kronecker(seed: int = 0) -> kl.Operator:
    return kl.Kronecker(_pd(3, seed), _pd(2, seed + 1))


def _fisher() -> kl.Operator:
    sizes = ((2, 3), (3, 2))
    return kl.fisher([kl.LayerStatistics(normal((3, a), seed=a), normal((3, g), seed=g + 9)) for a, g in sizes])


OPERATORS: dict[str, Callable[[], kl.Operator]] = {
    "Dense": lambda: _pd(4),
    "Diagonal": lambda: kl.Diagonal(np.array([1.0, 2.0, 3.0, 4.0])),
    "Identity": lambda: kl.Identity(4, dtype="float64"),
    "Zero": lambda: kl.Zero((4, 4), dtype="float64"),
    "Permutation": lambda: kl.Permutation([2, 0, 1, 3], dtype="float64"),
    "Kronecker": _kronecker,
    "Kronecker + Kronecker": lambda: _kronecker() + _kronecker(5),
    "KroneckerSum": lambda: kl.KroneckerSum(_pd(3), _pd(2, 1)),
    "Spectral": lambda: kl.Spectral(np.linalg.qr(normal((5, 2)))[0], np.array([1.0, 2.0]), rest=0.5),
    "Congruence": lambda: Congruence(kl.Kronecker(normal((2, 2)), normal((2, 2), seed=1)), np.arange(1.0, 5.0)),
    "BlockDiagonal": lambda: kl.BlockDiagonal([_kronecker(), _kronecker(3), _pd(3)]),
    "BlockTridiagonal": lambda: kl.assume(kl.BlockTridiagonal([_pd(2), _pd(2, 1)], [0.1 * np.eye(2)]), "pd"),
    "LowRank (the exact Fisher)": _fisher,
    "LowRank + λ I": lambda: _fisher().damped(0.1),
    "LowRank + BlockDiagonal": lambda: kl.BlockDiagonal([_kronecker(), _pd(4)]) + kl.LowRank(normal((10, 2))),
    "sparse": lambda: kl.assume(kl.aslinearoperator(scipy.sparse.csr_array(np.diag([2.0, 3.0, 4.0, 5.0]))), "pd"),
    "c A": lambda: 2 * _kronecker(),
    "A B": lambda: _kronecker() @ kl.Diagonal(np.arange(1.0, 7.0)),
    "Aᵖ": lambda: (_fisher().damped(0.1) + kl.Diagonal(np.ones(12))).power(2),
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
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
DERIVED: dict[str, Callable[[Any], Any]] = {
    "A": lambda a: a,
    "A.inverse()": lambda a: a.inverse(),
    "A.H": lambda a: a.H,
    "A.damped(λ)": lambda a: a.damped(0.3),
    "A.damped(λ).inverse()": lambda a: a.damped(0.3).inverse(),
    "A.power(2)": lambda a: a.power(2),
    "A.sqrt()": lambda a: a.sqrt(),
    "3 A": lambda a: 3 * a,
    "A.pinv()": lambda a: a.pinv(),
}


@contextmanager
def no_dense_method() -> Iterator[None]:
    """Forbid to make an operator of more than LIMIT rows dense."""
    before = fallback.DENSE_LIMIT
    for module in (fallback, blocklu, schur, substitution):
        module.DENSE_LIMIT = LIMIT
    try:
        yield
    finally:
        for module in (fallback, blocklu, schur, substitution):
            module.DENSE_LIMIT = before


def attempt(name: str, derived: str, function: str) -> Any:
    """The value; "singular" where there is none; "dense" where only the dense method has it."""
    op = OPERATORS[name]()
    with no_dense_method():
        try:
            return FUNCTIONS[function](DERIVED[derived](op))
        except (SingularMatrixError, NotPositiveDefiniteError):
            return "singular"
        except ValueError as error:
            if "self-adjoint" in str(error):
                return "singular"
            if "is above the limit" not in str(error):
                raise
            return "dense"


def table() -> dict[str, dict[str, list[str]]]:
    """For each operator and each form of it the functions that only the dense method has."""
    return {
        name: {form: [function for function in FUNCTIONS if _is_dense(name, form, function)] for form in DERIVED}
        for name in OPERATORS
    }


SHOWN = ("A", "A.inverse()", "A.damped(λ)", "A.damped(λ).inverse()")
"""The forms that the table tells apart, so that it can be read."""


def _is_dense(name: str, form: str, function: str) -> bool:
    found = attempt(name, form, function)
    return isinstance(found, str) and found == "dense"


def rst(found: dict[str, dict[str, list[str]]]) -> list[str]:
    """The table as lines of reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 30 70", ""]
    lines += ["   * - operator A", "     - by the dense matrix only"]
    for name, forms in found.items():
        words = [
            f"``{form}``: {'everything' if len(dense) == len(FUNCTIONS) else ', '.join(dense)}"
            for form, dense in forms.items()
            if dense and form in SHOWN
        ]
        lines += [f"   * - {name}", f"     - {'; '.join(words) or 'nothing'}"]
    return lines


if __name__ == "__main__":
    print("\n".join(rst(table())))
