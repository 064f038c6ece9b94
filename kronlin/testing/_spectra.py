"""The laws of scalars and spectra: trace, diagonal, norm, eigenvalues, powers."""

import numpy as np

from kronlin.testing._case import Case, wide


def norms(case: Case) -> None:
    """A.norm() is the Frobenius norm."""
    case.expect_close(f"{case.name}.norm()", case.op.norm(), np.asarray(case.norm), case.size, of=case.kind.real)


def traces(case: Case) -> None:
    """A.trace() and A.diagonal() are those of the dense matrix; a matrix that is not square has none."""
    if not case.is_square:
        for name in ("trace", "diagonal"):
            refuses(case, name)
        return
    diagonal = np.diagonal(case.dense)
    case.expect_close(f"{case.name}.diagonal()", case.op.diagonal(), diagonal, case.size, scalar=True)
    size = case.size * max(1, case.op.shape[0]) ** 0.5
    case.expect_close(f"{case.name}.trace()", case.op.trace(), np.asarray(np.sum(diagonal)), size, scalar=True)


def spectra(case: Case) -> None:
    """A.eigh() has orthonormal eigenvectors and the eigenvalues of A; an A that is not self-adjoint is refused."""
    if not case.is_square:
        return
    if not case.is_hermitian:
        refuses(case, "eigh")
    if not case.is_surely_hermitian:
        return
    spectral = case.op.eigh()
    values = spectral.eigenvalues()
    case.expect_kind(f"{case.name}.eigh()", spectral.kind, case.kind)
    case.expect_close(f"{case.name}.eigh().to_dense()", spectral.to_dense(), case.dense, case.size)
    case.expect_close(f"{case.name}.eigvalsh()", case.op.eigvalsh(), case.eigenvalues, case.size, of=case.kind.real)
    sorted_values = case.kind.xp.sort(values)
    case.expect_close(f"{case.name}.eigh()'s w", sorted_values, case.eigenvalues, case.size, of=case.kind.real)
    basis, w = wide(spectral.Q.to_dense()), np.abs(wide(spectral.w))
    # A basis found from the dual side is as orthonormal as the smallest eigenvalue that it resolves is exact.
    spread = case.size / float(np.min(w[w > 0])) if np.any(w > 0) else 1.0
    gram, size = case.array(basis.conj().T @ basis), len(basis) * max(1.0, spread / 100)
    case.expect_close(f"Qᴴ Q of {case.name}.eigh()", gram, np.eye(basis.shape[1]), size)


def powers(case: Case) -> None:
    """A.power(2) = A A for a self-adjoint A; of a psd one A.sqrt() is the psd root, and A.power(-1/2) its inverse."""
    if not case.is_surely_hermitian or not case.dense.size:
        return
    square = case.dense @ case.dense
    case.expect_close(f"{case.name}.power(2)", case.op.power(2).to_dense(), square, case.size**2)
    if case.op.is_psd or case.eigenvalues[0] > case.rtol * case.size:
        _root(case, "sqrt()", case.op.sqrt(), case.dense, case.size, case.rtol)
    if case.eigenvalues[0] > 0 and case.inverse is not None:
        size = float(np.linalg.norm(case.inverse))
        _root(case, "power(-0.5)", case.op.power(-0.5), case.inverse, size, case.solving_rtol)


def refuses(case: Case, name: str) -> None:
    """Break the law unless a method raises a ValueError."""
    try:
        getattr(case.op, name)()
    except ValueError:
        return
    case.expect(False, f"{case.name}.{name}() is answered, where {case.name} has none: a ValueError is due")


def _root(case: Case, how: str, root: Case | object, square: np.ndarray, size: float, rtol: float) -> None:
    """A root squares to the matrix, and is psd."""
    twin = case.derived(f"{{}}.{how}", root, square)
    dense = wide(twin.op.to_dense())
    case.expect_close(f"{twin.name} squared", case.array(dense @ dense), square, size, rtol)
    lowest = float(np.linalg.eigvalsh((dense + dense.conj().T) / 2)[0])
    rounding = (rtol * size) ** 0.5
    case.expect(lowest >= -rounding, f"{twin.name} has the eigenvalue {lowest:.6g}: that is another root")
