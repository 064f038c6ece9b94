"""The operator under test, with its dense twin on NumPy, its tolerances, and the words for what is broken."""

from functools import cached_property
from typing import Any

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import Array, Kind, is_array, kind, to_numpy

DIGITS_LOST = 4500
"""Default tolerance in units of eps: 1e-12 in double precision, 5e-4 in single."""


class BrokenLaw(AssertionError):
    """A law does not hold; the message is the example."""


class Case:
    """An operator and the matrix that it should be, as a NumPy array in double precision.

    Args:
        op: the operator.
        dense: the matrix, of any array library.
        rtol: tolerance relative to `size`; that of the dtype if None.
        name: what messages call it: "A", "A.inverse()".
        size: a bound on the norms met on the way to the operator, to which rounding is relative; ‖dense‖ if None.
        seed: of the random arguments.
    """

    def __init__(
        self,
        op: Operator,
        dense: Array,
        rtol: float | None = None,
        *,
        name: str = "A",
        size: float | None = None,
        seed: int = 0,
    ) -> None:
        self.op = op
        self.name = name
        self.kind: Kind = op.kind
        self.dense = wide(dense)
        self.eps = float(np.finfo(self.kind.dtype_name).eps)
        self.rtol = DIGITS_LOST * self.eps if rtol is None else rtol
        self.norm = float(np.linalg.norm(self.dense))
        self.size = self.norm if size is None else max(size, self.norm)
        self.seed = seed
        self.restart()

    def restart(self) -> None:
        """Begin the random numbers anew, so that each law has the same ones whatever ran before it."""
        self.random = np.random.default_rng(self.seed)

    def derived(
        self, name: str, op: Any, dense: np.ndarray, size: float | None = None, rtol: float | None = None
    ) -> "Case":
        """The case of an operator made from this one, whose `{}` in `name` is this one's name."""
        name = name.format(self.name)
        self.expect(isinstance(op, Operator), f"{name} is a {type(op).__name__}, not an operator")
        self.expect(op.shape == dense.shape, f"{name} has shape {op.shape}, where {dense.shape} is due")
        self.expect_kind(name, op.kind, self.kind)
        return Case(op, dense, self.rtol if rtol is None else rtol, name=name, size=size, seed=self.seed)

    # Facts of the dense twin

    @property
    def is_square(self) -> bool:
        """Whether inverses and spectra make sense."""
        return self.op.shape[0] == self.op.shape[1]

    @cached_property
    def has_adjoint(self) -> bool:
        """Whether Aᴴ y can be asked for: an operator may have been made without."""
        try:
            self.op.H @ self.op.kind.zeros(self.op.shape[0], 1)
        except NotImplementedError:
            return False
        except Exception:
            return True  # the law of the adjoint will say what is wrong with it
        return True

    @cached_property
    def is_hermitian(self) -> bool:
        """Whether the dense twin equals its adjoint to the tolerance."""
        return self.is_square and bool(np.all(np.abs(self.dense - self.dense.conj().T) <= self.rtol * self.size))

    @cached_property
    def is_surely_hermitian(self) -> bool:
        """Whether the dense twin equals its adjoint but for the last digits, or to the tolerance and A says so.

        Between this and `is_hermitian` both answers are right.
        """
        skew = np.abs(self.dense - self.dense.conj().T) if self.is_square else np.inf
        last_digits = 4 * np.finfo(np.float64).eps * np.max(np.abs(self.dense), initial=0.0)
        return bool(np.all(skew <= last_digits)) or (self.is_hermitian and self.op.is_self_adjoint is True)

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Those of the Hermitian part of the dense twin, ascending."""
        return np.linalg.eigvalsh((self.dense + self.dense.conj().T) / 2)

    @cached_property
    def condition(self) -> float:
        """Condition number of the dense twin; infinite beyond what the precision resolves."""
        if not self.is_square or not self.dense.size:
            return 1.0
        values = np.linalg.svd(self.dense, compute_uv=False)
        if not values[-1] * 1e-3 * self.norm > self.eps * values[0] * self.size:
            return float("inf")
        return float(values[0] / values[-1]) * self.size / self.norm

    @property
    def solving_rtol(self) -> float:
        """Tolerance for inverses: 1e-14 times the condition number in double precision, never below `rtol`."""
        return self.rtol * max(1.0, self.condition / 100)

    @cached_property
    def inverse(self) -> np.ndarray | None:
        """The inverse of the dense twin; None if it is singular to working precision."""
        return np.linalg.inv(self.dense) if self.is_square and np.isfinite(self.condition) else None

    # Arguments

    def numbers(self, *shape: int) -> np.ndarray:
        """Short random numbers (eighths), complex for a complex operator."""
        return numbers(self.random, shape, self.kind.is_complex)

    def array(self, x: np.ndarray) -> Array:
        """`x` in the library, the precision and on the device of the operator; complex if either is."""
        target = self.kind.complex if np.iscomplexobj(x) else self.kind
        return self.kind.library.from_numpy(x.astype(target.dtype_name), device=self.kind.device)

    # Expectations

    def expect(self, condition: bool, message: str) -> None:
        """Break the law unless `condition`."""
        if not condition:
            raise BrokenLaw(message)

    def expect_close(
        self,
        what: str,
        got: Any,
        expected: np.ndarray,
        size: float,
        rtol: float | None = None,
        *,
        of: Kind | None = None,
        scalar: bool = False,
    ) -> None:
        """Break the law unless `got` is an array of the right kind and shape, within `rtol` · `size` of `expected`.

        What is `scalar` may be real beside a complex operator.
        """
        self.expect(is_array(got), f"{what} is a {type(got).__name__}, not an array")
        self.expect_kind(what, kind(got), self.kind if of is None else of, scalar=scalar)
        shape = tuple(got.shape)
        self.expect(shape == expected.shape, f"{what} has shape {shape}, where {expected.shape} is due")
        tolerance = (self.rtol if rtol is None else rtol) * size
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(wide(got) - expected) <= tolerance)
        if np.any(wrong):
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            entry = f"({what}){list(place)}" if place and " " in what else f"{what}{list(place) if place else ''}"
            raise BrokenLaw(
                f"{entry}: expected {expected[place]:.10g}, got {wide(got)[place]:.10g} (tolerance {tolerance:.1e}; "
                f"{int(wrong.sum())} of {wrong.size} entries differ)"
            )

    def expect_kind(self, what: str, found: Kind, due: Kind, *, scalar: bool = False) -> None:
        """Break the law unless library, precision, device and complexity are kept."""
        dtypes = (due.dtype, due.real.dtype) if scalar else (due.dtype,)
        same = found.library is due.library and found.device == due.device and found.dtype in dtypes
        self.expect(same, f"{what} is {found}, where {due} is due")

    def expect_dtype(self, twin: "Case", dtype: str) -> None:
        """Break the law unless an operator made from this one has a dtype, and the library and device of this one."""
        found = twin.kind
        same = found.dtype_name == dtype and found.library is self.kind.library and found.device == self.kind.device
        self.expect(same, f"{twin.name} is {found}")


def numbers(random: np.random.Generator, shape: tuple[int, ...], is_complex: bool) -> np.ndarray:
    """Short random numbers (eighths), complex where asked."""
    x = random.integers(-16, 17, shape) / 8
    return x + 1j * random.integers(-16, 17, shape) / 8 if is_complex else x


def wide(x: Array) -> np.ndarray:
    """A copy on NumPy in double precision."""
    x = to_numpy(x)
    return np.array(x, dtype=np.complex128 if np.iscomplexobj(x) else np.float64)
