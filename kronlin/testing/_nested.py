"""The laws of company: A as a block, a factor, a term and a multiplicand of a larger operator."""

from contextlib import suppress

import numpy as np

from kronlin.algebra import Identity
from kronlin.arrays import conj
from kronlin.operators import BlockDiagonal, Dense, Kronecker, LowRank
from kronlin.testing._case import BrokenLaw, Case, wide
from kronlin.testing._derived import essentials
from kronlin.testing._inverses import inverses, solutions
from kronlin.testing._spectra import spectra


def blocks_of_a_block_diagonal(case: Case) -> None:
    """BlockDiagonal([A, B, A]) stacks A and a B of its type, computes them in one call, and keeps them apart.

    A kernel then sees one leading axis more; a class for which that makes no sense says `_stackable = False`.
    """
    other = _sibling(case)
    middle = case if other is None else other
    op = BlockDiagonal([case.op, middle.op, case.op])
    dense = _block_diagonal(case.dense, middle.dense, case.dense)
    size = 2 * case.size + middle.size
    twin = case.derived(f"BlockDiagonal([{{0}}, {middle.name}, {{0}}])", op, dense, size)
    _thorough(twin)


def factors_of_a_kronecker_product(case: Case) -> None:
    """Kronecker(A, I) and Kronecker(I, A) are those of the dense matrix."""
    two = Identity(2, like=case.op)
    for name, op, dense in (
        ("Kronecker({}, I)", Kronecker(case.op, two), np.kron(case.dense, np.eye(2))),
        ("Kronecker(I, {})", Kronecker(two, case.op), np.kron(np.eye(2), case.dense)),
    ):
        _thorough(case.derived(name, op, dense, 2 * case.size))


def terms_of_a_sum(case: Case) -> None:
    """A + B, B - A, and A + u uᴴ with its solutions (Woodbury) are those of the dense matrices."""
    b = case.numbers(*case.op.shape)
    other, size = Dense(case.array(b)), case.size + float(np.linalg.norm(b))
    essentials(case.derived("({} + B)", case.op + other, case.dense + b, size))
    essentials(case.derived("(B - {})", other - case.op, b - case.dense, size))
    if case.inverse is None or not case.has_adjoint or not case.dense.size:
        return
    u = case.numbers(case.op.shape[0], 1)
    matrix, size = case.dense + u @ u.conj().T, case.size + float(np.linalg.norm(u)) ** 2
    updated = case.op + LowRank(case.array(u))
    twin = case.derived("({} + LowRank(u))", updated, matrix, size, rtol=case.solving_rtol)
    if np.isfinite(twin.condition):
        essentials(twin)
        solutions(twin)
        inverses(twin)


def factors_of_a_product(case: Case) -> None:
    """3 (A (2 B)) C and D ((2 A) B) are those of the dense matrices: no factor and no scalar gets lost."""
    m, n = case.op.shape
    b, c, d = case.numbers(n, 2), case.numbers(2, m), case.numbers(2, m)
    B, C, D = (Dense(case.array(x)) for x in (b, c, d))
    size = 6 * case.size * float(np.linalg.norm(b) * (np.linalg.norm(c) + np.linalg.norm(d)))
    chain = (3 * (case.op @ (2 * B))) @ C
    essentials(case.derived("(3 * ({} @ (2 * B))) @ C", chain, 6 * case.dense @ b @ c, size))
    essentials(case.derived("D @ ((2 * {}) @ B)", D @ ((2 * case.op) @ B), 2 * d @ case.dense @ b, size))


def _thorough(case: Case) -> None:
    essentials(case)
    if not case.is_square or not case.has_adjoint:
        return
    if case.inverse is not None:
        solutions(case)
        inverses(case)
    if case.is_hermitian:
        spectra(case)


def _sibling(case: Case) -> Case | None:
    """Another operator that can be stacked with A: made from changed arrays, and sound by itself; None if none is."""
    if case.op._signature() is None:
        return None
    for name, change in (("2A", lambda x: 2 * x), ("-A", lambda x: -x), ("conj(A)", conj)):
        with suppress(BrokenLaw, ValueError, ArithmeticError):
            op = case.op._map(change)
            dense = wide(op.to_dense())
            if not np.array_equal(dense, case.dense):
                sibling = Case(op, dense, case.rtol, name=name, size=max(case.size, float(np.linalg.norm(dense))))
                _thorough(sibling)
                return sibling
    return None


def _block_diagonal(*blocks: np.ndarray) -> np.ndarray:
    rows, columns = (sum(block.shape[axis] for block in blocks) for axis in (0, 1))
    dense = np.zeros((rows, columns), dtype=np.result_type(*blocks))
    i = j = 0
    for block in blocks:
        dense[i : i + block.shape[0], j : j + block.shape[1]] = block
        i, j = i + block.shape[0], j + block.shape[1]
    return dense
