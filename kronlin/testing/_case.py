"""The operator under test, with its dense twin on NumPy, its tolerances, and the words for what is broken."""

from typing import Any

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import Array, Kind, is_array, kind, to_numpy

DIGITS_LOST = 4500
"""Default tolerance in units of eps: 1e-12 in double precision, 5e-4 in single."""


class BrokenLaw(AssertionError):
    """A law does not hold; the message is the example."""


class Case:
    """An operator and the matrix that it should be, as a NumPy array in double precision."""

    def __init__(self, op: Operator, dense: Array, rtol: float | None, seed: int = 0) -> None:
        self.op = op
        self.kind: Kind = op.kind
        self.dense = wide(dense)
        self.eps = float(np.finfo(self.kind.dtype_name).eps)
        self.rtol = DIGITS_LOST * self.eps if rtol is None else rtol
        self.norm = float(np.linalg.norm(self.dense))
        self.random = np.random.default_rng(seed)

    @property
    def is_square(self) -> bool:
        """Whether inverses and spectra make sense."""
        return self.op.shape[0] == self.op.shape[1]

    @property
    def is_hermitian(self) -> bool:
        """Whether the dense twin equals its adjoint to the tolerance."""
        return self.is_square and bool(np.all(np.abs(self.dense - self.dense.conj().T) <= self.rtol * self.norm))

    @property
    def condition(self) -> float:
        """Condition number of the dense twin; infinite beyond what the precision resolves."""
        if not self.is_square or not self.dense.size:
            return 1.0
        values = np.linalg.svd(self.dense, compute_uv=False)
        return float(values[0] / values[-1]) if values[-1] * 1e-3 > self.eps * values[0] else float("inf")

    @property
    def solving_rtol(self) -> float:
        """Tolerance for inverses: 1e-14 times the condition number in double precision, never below `rtol`."""
        return self.rtol * max(1.0, self.condition / 100)

    def numbers(self, *shape: int, complex_too: bool = True) -> np.ndarray:
        """Short random numbers (eighths), complex for a complex operator."""
        x = self.random.integers(-16, 17, shape) / 8
        if complex_too and self.kind.is_complex:
            return x + 1j * self.random.integers(-16, 17, shape) / 8
        return x

    def array(self, x: np.ndarray) -> Array:
        """`x` in the library, the precision and on the device of the operator."""
        target = self.kind.complex if np.iscomplexobj(x) else self.kind.real
        return self.kind.library.from_numpy(x.astype(target.dtype_name), device=self.kind.device)

    def expect(self, condition: bool, message: str) -> None:
        """Break the law unless `condition`."""
        if not condition:
            raise BrokenLaw(message)

    def expect_close(
        self, what: str, got: Any, expected: np.ndarray, size: float, rtol: float | None = None, of: Kind | None = None
    ) -> None:
        """Break the law unless `got` is an array of the right kind and shape, within `rtol` · `size` of `expected`."""
        self.expect(is_array(got), f"{what} is a {type(got).__name__}, not an array")
        self.expect_kind(what, got, self.kind if of is None else of)
        self.expect(
            tuple(got.shape) == expected.shape, f"{what} has shape {tuple(got.shape)}, where {expected.shape} is due"
        )
        tolerance = (self.rtol if rtol is None else rtol) * size
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(wide(got) - expected) <= tolerance)
        if np.any(wrong):
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            entry = f"{what}{list(place) if place else ''}"
            raise BrokenLaw(
                f"{entry}: expected {expected[place]:.10g}, got {wide(got)[place]:.10g} (tolerance {tolerance:.1e}; "
                f"{int(wrong.sum())} of {wrong.size} entries differ)"
            )

    def expect_kind(self, what: str, got: Array, due: Kind) -> None:
        """Break the law unless library, precision and device are kept; real results of a complex one are fine."""
        found = kind(got)
        same = (found.library is due.library, found.device == due.device, found.dtype in (due.dtype, due.real.dtype))
        self.expect(all(same), f"{what} is {found}, where {due} is due")


def wide(x: Array) -> np.ndarray:
    """A copy on NumPy in double precision."""
    x = to_numpy(x)
    return np.array(x, dtype=np.complex128 if np.iscomplexobj(x) else np.float64)
