"""The laws of scalars and spectra: trace, diagonal, norm, eigenvalues, powers."""

import numpy as np

from kronlin.testing._case import Case, wide


def norms(case: Case) -> None:
    """A.norm() is the Frobenius norm."""
    case.expect_close("A.norm()", case.op.norm(), np.asarray(case.norm), case.norm, of=case.kind.real)


def traces(case: Case) -> None:
    """A.trace() and A.diagonal() are those of the dense matrix."""
    if not case.is_square:
        return
    diagonal = np.diagonal(case.dense)
    case.expect_close("A.diagonal()", case.op.diagonal(), diagonal, case.norm)
    size = case.norm * max(1, case.op.shape[0]) ** 0.5
    case.expect_close("A.trace()", case.op.trace(), np.asarray(np.sum(diagonal)), size)


def spectra(case: Case) -> None:
    """A.eigh() has orthonormal eigenvectors and the eigenvalues of A; an A that is not self-adjoint is refused."""
    if not case.is_square:
        return
    if not case.is_hermitian:
        try:
            case.op.eigh()
        except ValueError:
            return
        case.expect(False, "A.eigh() takes an A that is not self-adjoint")
    spectral = case.op.eigh()
    case.expect_close("A.eigh().to_dense()", spectral.to_dense(), case.dense, case.norm)
    expected = np.linalg.eigvalsh((case.dense + case.dense.conj().T) / 2)
    case.expect_close("A.eigvalsh()", case.op.eigvalsh(), expected, case.norm, of=case.kind.real)


def powers(case: Case) -> None:
    """A.power(2) = A A for a self-adjoint A; A.sqrt() twice is A and A.power(-1/2) twice is A⁻¹ for a psd one."""
    if not case.is_hermitian or not case.dense.size:
        return
    square = case.dense @ case.dense
    case.expect_close("A.power(2)", case.op.power(2).to_dense(), square, case.norm**2)
    lowest = float(np.linalg.eigvalsh((case.dense + case.dense.conj().T) / 2)[0])
    if case.op.is_psd or lowest > case.rtol * case.norm:
        root = wide(case.op.sqrt().to_dense())
        twice = case.array(root @ root)
        case.expect_close("A.sqrt() squared", twice, case.dense, case.norm)
    if lowest > 0 and np.isfinite(case.condition):
        root = wide(case.op.power(-0.5).to_dense())
        expected = np.linalg.inv(case.dense)
        size = float(np.linalg.norm(expected))
        case.expect_close("A.power(-1/2) squared", case.array(root @ root), expected, size, case.solving_rtol)
