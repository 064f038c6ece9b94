"""Sparse: a matrix of few entries, as SciPy and cupyx hold it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kronlin.algebra import Operator, Properties, rules
from kronlin.algebra.properties import PSD, properties
from kronlin.arrays import (
    Array,
    SingularMatrixError,
    abs2,
    all_finite,
    cast,
    conj,
    convert,
    kind,
    max_abs,
    root_sum_squares,
)
from kronlin.operators.dense import no_inverse


class Sparse(Operator):
    """A sparse matrix or sparse array of SciPy or cupyx, in compressed rows.

    A product costs one multiplication an entry and column; sums and products of two stay sparse. Solutions,
    inverses and determinants of NumPy ones come from a sparse LU factorisation, done once.

    Args:
        matrix: a sparse matrix of any format, two-dimensional, with float32, float64, complex64 or complex128 entries.

    Raises:
        TypeError: the entries are integers or of another dtype.
        ValueError: it is not two-dimensional, or has a NaN or an Inf.

    >>> import scipy.sparse
    >>> A = Sparse(scipy.sparse.diags_array([[-1.0, -1.0], [2.0, 2.0, 2.0], [-1.0, -1.0]], offsets=[-1, 0, 1]))
    >>> A
    Sparse(3×3, float64, self-adjoint: 7 entries)
    >>> A @ A.solve(A.kind.ones(3))
    array([1., 1., 1.])
    """

    _stackable = False
    _homes = ("numpy", "cupy")

    def __init__(self, matrix: Any) -> None:
        if len(matrix.shape) != 2:
            raise ValueError(f"Sparse takes a sparse matrix of shape (rows, columns), not {tuple(matrix.shape)}")
        checked = Sparse._from_csr(matrix.tocsr())
        if not all_finite(checked.matrix.data):
            raise ValueError(f"Sparse of shape {tuple(matrix.shape)} has an entry that is NaN or infinite")
        self._setup(*checked.parts, **checked.options)

    def _setup(self, data: Array, *, columns: Array, starts: Array, size: tuple[int, int]) -> None:
        matrix = kind(data).library.csr(data, convert(columns, data), convert(starts, data), size)
        self.matrix = matrix
        self._define(data, shape=size, columns=matrix.indices, starts=matrix.indptr, size=size)

    @classmethod
    def _from_csr(cls, matrix: Any) -> "Sparse":
        """Take a matrix of compressed rows; entries at one place are added, which leaves the given matrix alone."""
        kind(matrix.data)  # refuses integers
        if not matrix.has_canonical_format:
            matrix = matrix.copy()
            matrix.sum_duplicates()
        size = (int(matrix.shape[0]), int(matrix.shape[1]))
        return cls._make(matrix.data, columns=matrix.indices, starts=matrix.indptr, size=size)

    def _with_entries(self, data: Array) -> "Sparse":
        """Other entries at the same places."""
        return Sparse._make(data, **self.options)

    def _derive(self) -> Properties:
        if self._promised.self_adjoint is not None:
            return Properties()
        tolerance = max(10, self.shape[0]) * self.kind.eps
        skew = max_abs((self.matrix - self.matrix.conj().T).tocsr().data)
        return properties(self_adjoint=skew <= tolerance * max_abs(self.matrix.data))

    @property
    def _note(self) -> str:
        return f"{self.matrix.data.shape[0]} entries"

    @property
    def _inside(self) -> str:
        return self._note

    def _own_arrays(self) -> Iterator[Array]:
        yield from (*self.parts, self.options["columns"], self.options["starts"])

    def _matmat(self, x: Array) -> Array:
        return self.matrix @ x

    def _factors(self) -> Any:
        """The LU factorisation, or None where the library has none."""
        try:
            return self._once("lu", lambda: self.kind.library.sparse_lu(self.matrix))
        except SingularMatrixError as error:
            raise SingularMatrixError(no_inverse(self, str(error))) from None

    def prepare(self) -> "Sparse":
        """Factor now; a singular matrix is left to the call that needs an inverse."""
        if self.shape[0] == self.shape[1]:
            with suppress(SingularMatrixError):
                self._factors()
        return self


def _identity(a: Sparse) -> Any:
    """I, as a sparse matrix beside A."""
    n = a.shape[0]
    places = a.kind.xp.arange(n + 1, dtype=a.kind.index_dtype, device=a.device)
    return a.kind.library.csr(a.kind.ones(n), places[:n], places, a.shape)


@rules.compose.register(Sparse, Sparse)
def compose_sparse(a: Sparse, b: Sparse) -> Operator:
    """Multiply out."""
    product = Sparse._from_csr((a.matrix @ b.matrix).tocsr())
    return product._with(PSD) if b._kept("H") is a else product


@rules.add.register(Sparse, Sparse)
def add_sparse(a: Sparse, b: Sparse) -> Operator:
    """Add the entries."""
    return Sparse._from_csr((a.matrix + b.matrix).tocsr())


@rules.scale.register(Sparse)
def scale_sparse(a: Sparse, factor: complex) -> Operator:
    """Scale the entries."""
    if factor.imag:
        return a._with_entries(factor * cast(a.matrix.data, a.kind.complex))
    scaled = a._with_entries(factor.real * a.matrix.data)
    return scaled._with(a._promised) if factor.real > 0 else scaled


@rules.shift.register(Sparse)
def shift_sparse(a: Sparse, c: complex) -> Operator:
    """Add to the diagonal."""
    if c.imag:
        return NotImplemented
    return Sparse._from_csr((a.matrix + _identity(a) * c.real).tocsr())


@rules.adjoint.register(Sparse)
def adjoint_of_sparse(a: Sparse) -> Operator:
    """The conjugate transpose, in compressed rows again."""
    return Sparse._from_csr(a.matrix.conj().T.tocsr())


@rules.conjugate.register(Sparse)
def conjugate_of_sparse(a: Sparse) -> Operator:
    """Conjugate the entries."""
    return a._with_entries(conj(a.matrix.data))._with(a._promised)


@rules.modulus2.register(Sparse)
def modulus2_of_sparse(a: Sparse) -> Operator:
    """Square the entries."""
    return a._with_entries(abs2(a.matrix.data))


@rules.to_dense.register(Sparse)
def sparse_to_dense(a: Sparse) -> Array:
    """Fill in zeros."""
    return a.matrix.toarray()


@rules.diagonal.register(Sparse)
def diagonal_of_sparse(a: Sparse) -> Array:
    """Read it off."""
    return a.matrix.diagonal()


@rules.norm.register(Sparse)
def norm_of_sparse(a: Sparse) -> Array:
    """(Σ |a|²)^½ over the entries."""
    return root_sum_squares(a.matrix.data, axis=0)
