"""What an array is made of: its library, dtype and device, as one value."""

from functools import cache
from typing import Any, NamedTuple

import array_api_compat

from kronlin.arrays._libraries import library_named, lookup
from kronlin.arrays.library import Array, Library

_PRECISION = {"float32": 32, "complex64": 32, "float64": 64, "complex128": 64}


class Kind(NamedTuple):
    """Library, dtype and device of an array; equal for arrays that may meet in one expression."""

    library: Library
    xp: Any
    dtype: Any
    device: Any

    @property
    def is_complex(self) -> bool:
        """Whether entries are complex."""
        return bool(self.xp.isdtype(self.dtype, "complex floating"))

    @property
    def dtype_name(self) -> str:
        """Name of the dtype, the same for every library: "float32", "complex128", ..."""
        return _name_of(type(self.dtype), self.dtype)

    @property
    def eps(self) -> float:
        """Distance from 1 to the next larger number."""
        return float(self.xp.finfo(self.dtype).eps)

    @property
    def itemsize(self) -> int:
        """Bytes of one entry."""
        return _PRECISION[self.dtype_name] // 8 * (2 if self.is_complex else 1)

    @property
    def real(self) -> "Kind":
        """The kind of the moduli of such entries."""
        if not self.is_complex:
            return self
        single = _PRECISION[self.dtype_name] == 32
        return self._replace(dtype=self.xp.float32 if single else self.xp.float64)

    @property
    def complex(self) -> "Kind":
        """The kind of complex entries of the same precision."""
        if self.is_complex:
            return self
        single = _PRECISION[self.dtype_name] == 32
        return self._replace(dtype=self.xp.complex64 if single else self.xp.complex128)

    @property
    def double(self) -> "Kind":
        """The kind in which the library factorises most accurately."""
        return self._replace(dtype=self.library.double(self.dtype))

    @property
    def index_dtype(self) -> Any:
        """The dtype of indices: int64, or int32 in JAX unless it was told to use 64 bits."""
        return self.xp.__array_namespace_info__().default_dtypes()["indexing"]

    @property
    def is_accelerator(self) -> bool:
        """Whether reading one number stops the host."""
        return self.library.is_accelerator(self.device)

    def asarray(self, x: Any) -> Array:
        """Make an array of this kind from a number, a nested list or an array of the same library."""
        return self.xp.asarray(x, dtype=self.dtype, device=self.device)

    def indices(self, x: Any) -> Array:
        """Make an array of indices on this device."""
        return self.xp.asarray(x, dtype=self.index_dtype, device=self.device)

    def zeros(self, *shape: int) -> Array:
        """Make an array of zeros."""
        return self.xp.zeros(shape, dtype=self.dtype, device=self.device)

    def ones(self, *shape: int) -> Array:
        """Make an array of ones."""
        return self.xp.ones(shape, dtype=self.dtype, device=self.device)

    def eye(self, n: int) -> Array:
        """Make an identity matrix."""
        return self.xp.eye(n, dtype=self.dtype, device=self.device)

    def __hash__(self) -> int:
        return hash((self.library.name, self.dtype_name, str(self.device)))  # CuPy's devices have no hash

    def __str__(self) -> str:
        host = "cpu" in str(self.device).lower()
        return f"{self.library.name} {self.dtype_name}" + ("" if host else f" on {self.device}")


@cache
def _name_of(_home: type, dtype: Any) -> str:
    """Its type is part of the key, because array-api-strict warns when a dtype of its own meets one of NumPy's."""
    return str(getattr(dtype, "__name__", dtype)).split(".")[-1].strip("'>")


def kind(x: Array) -> Kind:
    """Return the kind of a floating-point array; other arrays are refused."""
    xp, library = lookup(x)
    result = Kind(library, xp, x.dtype, array_api_compat.device(x))
    if result.dtype_name not in _PRECISION:
        raise TypeError(
            f"expected float32, float64, complex64 or complex128 entries, not {result.dtype_name}: "
            "convert the array with astype, so that its precision is your choice"
        )
    return result


def kind_named(dtype: str, library: str = "numpy", device: Any = None) -> Kind:
    """Return the kind called by a dtype name and a library name."""
    xp = library_named(library).namespace()
    return kind(xp.zeros((), dtype=getattr(xp, dtype), device=device))


def common_kind(kinds: list[Kind], what: str) -> Kind:
    """Return the kind in which things of these kinds meet: real and complex mix, nothing else does.

    `what` names the expression in the error.
    """
    first = kinds[0]
    for other in kinds[1:]:
        if other == first:
            continue
        if other.library is not first.library or other.device != first.device:
            raise ValueError(f"{what} mixes {first} with {other}: bring them together with .to(...)")
        if other.real.dtype != first.real.dtype:
            raise ValueError(f"{what} mixes {first} with {other}: choose one precision with .astype(...)")
    return first.complex if any(other.is_complex for other in kinds) else first


def namespace(*arrays: Array) -> Any:
    """Return the array API namespace that the arrays share.

    >>> import numpy as np
    >>> namespace(np.ones(2)).__name__
    'numpy'
    """
    xp, library = lookup(arrays[0])
    for other in arrays[1:]:
        if lookup(other)[0] is not xp:
            raise ValueError(
                f"arrays of two libraries meet: {library.name} and {lookup(other)[1].name}; convert one of them"
            )
    return xp


def is_array(x: Any) -> bool:
    """Tell whether `x` is an array of a known library."""
    try:
        lookup(x)
    except TypeError:
        return False
    return True


def device(x: Array) -> Any:
    """Return the device that holds `x`."""
    return array_api_compat.device(x)
