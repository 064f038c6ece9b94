"""Matrices and linear maps of SciPy and cupyx, which are not arrays: how they are known, and how ours become theirs."""

from collections.abc import Callable
from typing import Any

from kronlin.arrays._kind import Kind
from kronlin.arrays._libraries import library_named
from kronlin.arrays.library import Array


def is_sparse(x: Any) -> bool:
    """Tell whether `x` is a sparse matrix or sparse array of SciPy or cupyx, by what it can do."""
    return hasattr(x, "nnz") and callable(getattr(x, "tocsr", None))


def is_linear_map(x: Any) -> bool:
    """Tell whether `x` is known by its products, as SciPy's LinearOperator: a shape, a dtype, matvec or matmat."""
    shape, products = getattr(x, "shape", None), (getattr(x, "matvec", None), getattr(x, "matmat", None))
    is_matrix = isinstance(shape, tuple | list) and len(shape) == 2
    return is_matrix and hasattr(x, "dtype") and any(map(callable, products))


def home_of(x: Any) -> str:
    """Name the library whose arrays a sparse matrix or a linear map takes: cupyx takes CuPy's, all else NumPy's."""
    return "cupy" if any(base.__module__.split(".")[0] == "cupyx" for base in type(x).__mro__) else "numpy"


def linear_operator(
    name: str, own: Kind, shape: tuple[int, int], product: Callable[[Array], Array], adjoint: Callable[[Array], Array]
) -> Any:
    """Make the LinearOperator that the solvers of a library take ("numpy": SciPy's, "cupy": cupyx's).

    Arrays are carried to the library and device of the operator and back. The precision is that of the operator:
    the solvers themselves mix precisions, and start with integers.
    """
    target = library_named(name)
    xp = target.namespace()
    if target is not own.library and target.is_accelerator(None):
        raise ValueError(f"the operator is {own}, and this is for {name} ones: move it there first, by A.to({name!r})")

    def carried(function: Callable[[Array], Array]) -> Callable[[Any], Array]:
        def apply(x: Any) -> Array:
            x = xp.asarray(x)
            complex_too = xp.isdtype(x.dtype, "complex floating")
            dtype = getattr(xp, (own.complex if complex_too else own).dtype_name)
            if target is own.library:
                return function(xp.astype(x, dtype, copy=False))
            x = xp.astype(x, dtype)  # a copy, which the other library may keep and write to
            return target.from_numpy(own.library.to_numpy(function(own.library.from_numpy(x, device=own.device))))

        return apply

    times, adjoint_times = carried(product), carried(adjoint)
    return target.linear_operator(
        shape,
        dtype=getattr(xp, own.dtype_name),
        matvec=times,
        matmat=times,
        rmatvec=adjoint_times,
        rmatmat=adjoint_times,
    )
