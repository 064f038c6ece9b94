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


def real_part(x: Array) -> Array:
    """Real part; a real array is returned as it is."""
    xp = lookup(x)[0]
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x


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


def shifted(a: Array, c: float) -> Array:
    """A + c I, for the last two axes."""
    return lookup(a)[1].shifted(a, c)


def all_finite(x: Array) -> bool:
    """Tell whether no entry is NaN or infinite (one synchronisation on a device)."""
    return lookup(x)[1].all_finite(x)


def lies_by_columns(x: Array) -> bool:
    """Tell whether X (..., n, k) has several columns, each of one piece of memory, so that Xᵀ in rows is no copy."""
    return x.shape[-1] > 1 and lookup(x)[1].lies_by_columns(x)


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


def norm_from_grams(left: Array, core: Array, right: Array) -> Array | None:
    """‖U C Vᴴ‖ = (tr Cᴴ UᴴU C VᴴV)^½ from UᴴU, C and VᴴV, scaled against overflow; None if it is rounding error.

    It is where the norm is below eps^¼ ‖U‖ ‖C‖ ‖V‖ in one of the stack.
    """
    own, xp = kind(core), lookup(core)[0]
    sizes = [root_sum_squares(part, axis=(-2, -1)) for part in (left, core, right)]
    units = [xp.where(size > 0, size, xp.ones_like(size)) for size in sizes]
    left, core, right = (part / unit[..., None, None] for part, unit in zip((left, core, right), units, strict=True))
    terms = conj(core) * (left @ core @ right)
    square = xp.sum(real_part(terms), axis=(-2, -1))
    if not bool(xp.all(square > own.eps**0.5)):
        return None
    return xp.sqrt(units[0]) * xp.sqrt(units[2]) * units[1] * xp.sqrt(square)


def inner_products(x: Array, y: Array) -> Array:
    """xᴴ y of the columns of two blocks (..., n, k), as (..., k)."""
    return lookup(x)[1].inner_products(x, y)


def advance(y: Array, a: Array, x: Array, chosen: Array) -> Array:
    """Y + X diag(a) in the chosen columns, Y in the others. Y is given up: NumPy writes over it."""
    return lookup(y)[1].advance(y, a, x, chosen)


def turn(p: Array, b: Array, y: Array, chosen: Array) -> Array:
    """Y + P diag(b) in the chosen columns, zero in the others. P is given up: NumPy writes over it."""
    return lookup(p)[1].turn(p, b, y, chosen)


def by_columns(x: Array) -> Array:
    """A block (n, k) that holds each column in one piece, where the library has a say in that."""
    xp = lookup(x)[0]
    return xp.matrix_transpose(compact(xp.matrix_transpose(x)))


def balanced(arrays: list[Array], axes: int) -> list[Array]:
    """Multiply arrays by powers of two whose product is 1, so that multiplying them from the left does not overflow.

    The product of the first k then has about the size of the whole product to the power k / n. `axes` is the number
    of trailing axes that make one matrix or vector (0 for scalars).
    """
    count = len(arrays)
    if count < 3 or any(0 in array.shape for array in arrays):
        return arrays
    xp = lookup(arrays[0])[0]
    exponents = []
    for array in arrays:
        size = xp.abs(array)
        size = xp.max(size, axis=tuple(range(-axes, 0)), keepdims=True) if axes else size
        exponents.append(xp.floor(xp.log2(xp.where(size > 0, size, xp.ones_like(size)))))
    total = sum(exponents[1:], exponents[0])
    result, reached = [], xp.zeros_like(total)
    for place, (array, exponent) in enumerate(zip(arrays, exponents, strict=True)):
        goal = xp.floor(total * ((place + 1) / count))
        shift, reached = goal - reached - exponent, goal
        half = xp.floor(shift / 2)  # two steps, for 2^shift itself may be beyond the range
        result.append(array * 2.0**half * 2.0 ** (shift - half))
    return result


def cast(x: Array, target: Kind) -> Array:
    """Return `x` with the dtype of `target`; complex to real is refused."""
    xp = lookup(x)[0]
    if x.dtype == target.dtype:
        return x
    if kind(x).is_complex and not target.is_complex:
        raise TypeError(f"a {kind(x).dtype_name} array does not fit into {target.dtype_name}")
    return xp.astype(x, target.dtype)


def compact(x: Array) -> Array:
    """The same array with its entries in row-major order; a copy only where they are not, and the library has views."""
    reshape = lookup(x)[0].reshape
    return reshape(reshape(x, (-1,)), x.shape)


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
