"""The dot test: one random pair of vectors tells whether Aᴴ is the adjoint of A."""

from typing import Any

import numpy as np

from kronlin.algebra import rules
from kronlin.testing._case import BrokenLaw, Case, wide


def dot_products(case: Case) -> None:
    """⟨A x, y⟩ = ⟨x, Aᴴ y⟩ for two random vectors on each side."""
    x, y = case.numbers(case.op.shape[1], 2), case.numbers(case.op.shape[0], 2)
    image, back = wide(case.op @ case.array(x)), wide(case.op.H @ case.array(y))
    left, right = image.conj().T @ y, x.conj().T @ back
    size = np.linalg.norm(image) * np.linalg.norm(y) + np.linalg.norm(x) * np.linalg.norm(back)
    wrong = ~(np.abs(left - right) <= case.rtol * size)
    if np.any(wrong):
        i, j = np.argwhere(wrong)[0]
        raise BrokenLaw(f"⟨A x, y⟩ = {left[i, j]:.10g}, but ⟨x, Aᴴ y⟩ = {right[i, j]:.10g}")


def dottest(op: Any, *, rtol: float | None = None, seed: int = 0) -> bool:
    """Check ⟨A x, y⟩ = ⟨x, Aᴴ y⟩ for random x and y; True, or an AssertionError that shows both numbers.

    Args:
        op: an operator or array.
        rtol: tolerance relative to ‖A x‖ ‖y‖ + ‖x‖ ‖Aᴴ y‖; that of the dtype if None (1e-12 in double precision).
        seed: of the random vectors.

    Raises:
        AssertionError: Aᴴ is not the adjoint of A.

    >>> import numpy as np, kronlin as kl
    >>> dottest(kl.Function(np.flipud, np.flipud, shape=(4, 4), dtype="float64"))
    True

    Source: Claerbout, "Imaging the Earth's Interior" (1985); PyLops has the test under the same name.
    """
    op = rules.wrap(op)
    dot_products(Case(op, np.zeros(op.shape), rtol, seed))
    return True
