"""Small functions that the array API standard lacks or splits by dtype."""

from math import prod
from typing import Any

from kronlin.arrays._kind import Kind, device, kind
from kronlin.arrays._libraries import library_named, lookup
from kronlin.arrays.library import Array


def conj(x: Array) -> Array:
    """Complex conjugate; a real array is returned as it is."""
    xp = lookup(x)[0]
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x


def adjoint(x: Array) -> Array:
    """Conjugate transpose of the last two axes, a view where the library has views."""
    return conj(lookup(x)[0].matrix_transpose(x))


def abs2(x: Array) -> Array:
    """Squared modulus, real."""
    xp = lookup(x)[0]
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.real(x) ** 2 + xp.imag(x) ** 2
    return x * x


def hermitian_part(x: Array) -> Array:
    """(X + Xᴴ) / 2."""
    return (x + adjoint(x)) / 2


def diagonal_of(x: Array) -> Array:
    """Diagonal of the last two axes."""
    return lookup(x)[0].linalg.diagonal(x)


def all_finite(x: Array) -> bool:
    """Tell whether no entry is NaN or infinite (one synchronisation on a device)."""
    xp = lookup(x)[0]
    return bool(xp.all(xp.isfinite(x)))


def max_abs(x: Array) -> float:
    """Largest modulus, as a number; 0 for an empty array (one synchronisation on a device)."""
    xp = lookup(x)[0]
    return float(xp.max(xp.abs(x))) if 0 not in x.shape else 0.0


def root_sum_squares(x: Array, axis: int | tuple[int, ...]) -> Array:
    """(Σ |x|²)^½ along axes, without overflow: the entries are scaled by the largest modulus first."""
    xp = lookup(x)[0]
    moduli = xp.abs(x)
    if 0 in x.shape:
        return xp.sum(moduli, axis=axis)
    largest = xp.max(moduli, axis=axis, keepdims=True)
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    return xp.sqrt(xp.sum((moduli / unit) ** 2, axis=axis)) * xp.squeeze(unit, axis=axis)


def cast(x: Array, target: Kind) -> Array:
    """Return `x` with the dtype of `target`; complex to real is refused."""
    xp = lookup(x)[0]
    if x.dtype == target.dtype:
        return x
    if kind(x).is_complex and not target.is_complex:
        raise TypeError(f"a {kind(x).dtype_name} array does not fit into {target.dtype_name}")
    return xp.astype(x, target.dtype)


def convert(x: Array, target: Any) -> Array:
    """Copy `x` to another array library or device, through the host.

    `target`: the name of a library ("cupy"), or an array whose library and device are wanted.
    """
    library = lookup(x)[1]
    if isinstance(target, str):
        from_name = library_named(target)
        return x if from_name is library else from_name.from_numpy(library.to_numpy(x))
    goal = kind(target)
    if goal.library is library and goal.device == device(x):
        return x
    return goal.library.from_numpy(library.to_numpy(x), device=goal.device)


def to_numpy(x: Array) -> Any:
    """Copy an array of any library to a NumPy array on the host."""
    return lookup(x)[1].to_numpy(x)


def bytes_of(x: Array) -> int:
    """Bytes of the entries of an array, which may be integers or truth values."""
    xp = lookup(x)[0]
    if xp.isdtype(x.dtype, "bool"):
        return prod(x.shape)
    if xp.isdtype(x.dtype, "integral"):
        return prod(x.shape) * (xp.iinfo(x.dtype).bits // 8)
    return prod(x.shape) * kind(x).itemsize
