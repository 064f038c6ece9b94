"""The wall: only here may an array library be named; everything above speaks the array API standard."""

from kronlin.arrays._elementary import (
    abs2,
    adjoint,
    all_finite,
    balanced,
    bytes_of,
    cast,
    conj,
    convert,
    diagonal_of,
    hermitian_part,
    max_abs,
    norm_from_grams,
    real_part,
    root_sum_squares,
    to_numpy,
)
from kronlin.arrays._errors import NotPositiveDefiniteError, SingularMatrixError
from kronlin.arrays._factor import (
    cholesky,
    eigh,
    inverse_general,
    inverse_positive,
    logdet_cholesky,
    qr,
    solve_cholesky,
    solve_general,
    solve_triangular,
)
from kronlin.arrays._foreign import home_of, is_linear_map, is_sparse, linear_operator
from kronlin.arrays._kind import Kind, common_kind, device, is_array, kind, kind_named, namespace
from kronlin.arrays._libraries import LIBRARIES, find_libraries, library_named
from kronlin.arrays._memory import join, memory_limit, pieces
from kronlin.arrays._optional import optional_import
from kronlin.arrays._random import random_normal, random_signs
from kronlin.arrays.library import Array, Library

__all__ = [
    "LIBRARIES",
    "Array",
    "Kind",
    "Library",
    "NotPositiveDefiniteError",
    "SingularMatrixError",
    "abs2",
    "adjoint",
    "all_finite",
    "balanced",
    "bytes_of",
    "cast",
    "cholesky",
    "common_kind",
    "conj",
    "convert",
    "device",
    "diagonal_of",
    "eigh",
    "find_libraries",
    "hermitian_part",
    "home_of",
    "inverse_general",
    "inverse_positive",
    "is_array",
    "is_linear_map",
    "is_sparse",
    "join",
    "kind",
    "kind_named",
    "library_named",
    "linear_operator",
    "logdet_cholesky",
    "max_abs",
    "memory_limit",
    "namespace",
    "norm_from_grams",
    "optional_import",
    "pieces",
    "qr",
    "random_normal",
    "random_signs",
    "real_part",
    "root_sum_squares",
    "solve_cholesky",
    "solve_general",
    "solve_triangular",
    "to_numpy",
]
