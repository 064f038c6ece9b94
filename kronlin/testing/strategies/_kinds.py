"""Where an example lives: array library, device and dtype."""

import sys
from importlib.util import find_spec

from hypothesis import strategies as st

from kronlin.arrays import Array, Kind, kind, library_named
from kronlin.testing.strategies._numbers import Matrix, dtypes

STRICT = ("array_api_strict", "array_api_strict:device1")


def libraries() -> st.SearchStrategy[str]:
    """Names of array libraries and devices, NumPy first: "numpy", "torch", "array_api_strict:device1".

    array-api-strict (with a second device, which stands in for a GPU) is among them if it is installed, PyTorch if your
    program has imported it; JAX and CuPy are there to be named, because JAX compiles for every shape.

    >>> from hypothesis import find
    >>> find(libraries(), lambda name: True)
    'numpy'
    """
    strict = STRICT if find_spec(STRICT[0]) else ()
    return st.sampled_from(["numpy", *strict, *(["torch"] if "torch" in sys.modules else [])])


def kinds(*names: str, dtype: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[Kind]:
    """Kinds of arrays, what an operator is made of: a dtype in an array library on a device.

    Args:
        names: of libraries, with the device after a colon if it is not the first one; NumPy if none is named.
        dtype: names of dtypes; all four if None.

    >>> from hypothesis import find
    >>> print(find(kinds("array_api_strict:device1"), lambda kind: True))
    array_api_strict float64 on array_api_strict.Device('device1')
    """
    return st.builds(kind_of, st.sampled_from(names or ("numpy",)), dtypes() if dtype is None else dtype)


def kind_of(name: str, dtype: str) -> Kind:
    """The kind of a dtype in a library named as in `libraries()`."""
    first, _, device = name.partition(":")
    library = library_named(first)
    xp = library.namespace()
    where = library.device_named(device) if device else None
    return kind(xp.zeros((), dtype=getattr(xp, dtype), device=where))


def to(kind: Kind, x: Matrix) -> Array:
    """Carry an array to the library and the device of a kind."""
    return kind.library.from_numpy(x, device=kind.device)
