"""The functions of an operator: adjoint, inverse, powers, spectrum, scalars; each asks its rule."""

from math import isfinite
from typing import Any

from kronlin.algebra import rules
from kronlin.algebra.properties import PD, SELF_ADJOINT, UNKNOWN, Properties, of_power
from kronlin.algebra.sidebyside import side_by_side
from kronlin.algebra.structure import Structure
from kronlin.arrays import Array, Kind, all_finite, cast, convert, kind


class MatrixFunctions(Structure):
    """What can be asked of an operator beside its products.

    Factorisations are done when first needed and kept with the operator.

    >>> import numpy as np, kronlin as kl
    >>> K = kl.Kronecker(np.diag([1.0, 4.0]), np.diag([1.0, 9.0]))
    >>> K.inverse()
    Kronecker(4×4, float64, pd: 2×2 ⊗ 2×2)
    >>> K.H is K, K.T is K, type(K.pinv()).__name__
    (True, True, 'Kronecker')
    >>> K.prepare().solve(np.array([1.0, 9.0, 4.0, 36.0]))
    array([1., 1., 1., 1.])
    >>> K.damped(1.0), K.eigh()
    (Spectral(4×4, float64, pd: Kronecker(2×2 ⊗ 2×2)), Spectral(4×4, float64, pd: Kronecker(2×2 ⊗ 2×2)))
    >>> K.eigvalsh(), K.sqrt().diagonal(), K.power(-1).diagonal()
    (array([ 1.,  4.,  9., 36.]), array([1., 3., 2., 6.]), array([1.  , 0.11111111, 0.25  , 0.02777778]))
    >>> [float(x) for x in (K.trace(), K.norm(), K.logdet(), *K.slogdet())]
    [50.0, 37.336309, 7.16703788, 1.0, 7.16703788]
    >>> K.astype("float32").to("numpy").to_dense().dtype
    dtype('float32')
    """

    @property
    def properties(self) -> Properties:
        """What is known of self-adjointness and definiteness."""
        raise NotImplementedError

    @property
    def _at_hand(self) -> Properties:
        """What is known without a look at entries, to hand on to an operator that can be looked at itself."""
        return self.properties

    @property
    def H(self) -> Any:
        """Aᴴ, the adjoint; A itself if A is known to be self-adjoint."""
        if self.properties.self_adjoint:
            return self
        return self._twin("H", lambda: self._heir(rules.adjoint(self)))

    @property
    def T(self) -> Any:
        """Aᵀ, the transpose; the same as Aᴴ for real operators."""
        return rules.conjugate(self.H) if self.kind.is_complex else self.H

    def to_dense(self) -> Array:
        """A as an array of shape (rows, columns) in the library, dtype and device of the operator."""
        return rules.to_dense(self)

    def inverse(self) -> Any:
        """A⁻¹ as an operator that keeps the structure; exact, never iterative.

        Raises:
            ValueError: A is not square, or singular to working precision.
        """
        self._require_square("inverse")
        return self._twin("inverse", lambda: self._heir(rules.inverse(self), definite=True))

    @property
    def form(self) -> str | None:
        """How a solution or inverse that was asked for is computed where there was a choice; None before, or without.

        B + U C Vᴴ goes to the smaller side: "dual r×r" is the formula of Woodbury, with the name of its form, and
        "primal n×n" the matrix itself. `tree` shows it too.

        >>> import numpy as np, kronlin as kl
        >>> tall, wide = (kl.LowRank(np.ones(shape)).damped(1.0) for shape in ((3, 2), (2, 3)))
        >>> _ = tall.inverse(), wide.inverse()
        >>> tall.form, wide.form
        ('dual 2×2: inverse by LU', 'primal 2×2: dense')
        """
        found: str | None = self._kept("form")
        return found

    def pinv(self) -> Any:
        """A⁺, the Moore-Penrose inverse: the minimum-norm least-squares solution as an operator."""
        return self._once("pinv", lambda: rules.pinv(self))

    def solve(self, b: Array) -> Array:
        """A⁻¹ b for b of shape (n,) or (n, k); exact, never iterative.

        Raises:
            ValueError: A is not square or is singular, or b has the wrong shape, kind, or a NaN or Inf.
        """
        self._require_square("solve")
        own, given = self.kind, kind(b)
        if b.ndim not in (1, 2) or b.shape[0] != self.shape[0]:
            raise ValueError(
                f"cannot solve with b of shape {tuple(b.shape)}: A has shape {self.shape}, so pass (n,) or (n, k)"
            )
        if given != own and given.complex != own.complex:
            raise ValueError(f"cannot solve: the operator is {own}, b is {given}; use astype or to on one of them")
        if not all_finite(b):
            raise ValueError("cannot solve: b has an entry that is NaN or infinite")
        block = b if b.ndim == 2 else b[:, None]
        if given == own or own.is_complex:
            x = rules.solve(self, cast(block, own))
        else:
            x = rules.solve(self._astype(own.complex), block)
        return x if b.ndim == 2 else x[:, 0]

    def prepare(self) -> Any:
        """Do now the work that solves, inverses and spectra of this operator will need, and return it."""
        parts = [part for part in self.parts if isinstance(part, MatrixFunctions)]
        side_by_side(lambda part: part.prepare(), parts)
        return self

    def damped(self, lam: float) -> Any:
        """A + λ I, exactly (Tikhonov damping).

        Kronecker factors in single precision are decomposed in it while every eigenvalue with λ is above √eps times the
        largest, so that half of the digits stay right, and in double precision below; `A.eigh()` is always in double.

        Args:
            lam: a finite λ ≥ 0, in the units of A. Below eps ‖A‖ it is smaller than the rounding errors of A itself,
                and says nothing where A is singular.

        Raises:
            ValueError: λ is negative or not finite, or A is not square.
        """
        self._require_square("damped")
        lam = float(lam)
        if not (isfinite(lam) and lam >= 0):
            raise ValueError(f"damping must be finite and not negative, not {lam}; for A - c I write A - c * Identity")
        return self._shifted(lam)

    def _shifted(self, c: complex) -> Any:
        """A + c I, with what is known of A + c I handed on."""
        if not c:
            return self
        known = self._at_hand
        result = rules.shift(self, c)
        if c.imag:
            return result
        if c.real > 0 and known.psd:
            return result._with(PD)
        return result._with(SELF_ADJOINT if known.self_adjoint else UNKNOWN)

    def power(self, p: float) -> Any:
        """Aᵖ: for a whole p of any square A, as products; for a fraction of a psd A, on its eigenvalues.

        Args:
            p: a finite real number; a negative one needs a nonsingular A.

        Raises:
            ValueError: p is not a finite real number; A is not square, is singular for a p < 0, or is not
                self-adjoint and psd for a fraction.
        """
        self._require_square("power")
        if isinstance(p, complex) or not isfinite(p):
            raise ValueError(f"the power {p} of {self!r}: the exponent must be a finite real number")
        p = int(p) if float(p).is_integer() else float(p)
        if p == 1:
            return self
        if p == -1:
            return self.inverse()
        inherited = of_power(self.properties, p)
        return rules.power(self, p)._with(Properties(*(answer or None for answer in inherited)))

    def sqrt(self) -> Any:
        """The positive semidefinite square root of a psd A."""
        return self.power(0.5)

    def eigh(self) -> Any:
        """The eigendecomposition Q diag(w) Qᴴ of a self-adjoint A, as a `Spectral`."""
        self._require_square("eigh")
        if self.properties.self_adjoint is False:
            raise ValueError(f"eigh needs a self-adjoint operator, and {self!r} is not one")
        return self._once("eigh", lambda: rules.eigh(self))

    def eigvalsh(self) -> Array:
        """All eigenvalues of a self-adjoint A in ascending order, (n,)."""
        return self.kind.xp.sort(self.eigh().eigenvalues())

    def trace(self) -> Array:
        """tr A, a scalar array."""
        self._require_square("trace")
        return rules.trace(self)

    def diagonal(self) -> Array:
        """The diagonal of a square A, (n,)."""
        self._require_square("diagonal")
        return rules.diagonal(self)

    def slogdet(self) -> tuple[Array, Array]:
        """The pair (sign, log |det A|); det A = sign · exp(log), (0, -inf) for a singular A."""
        self._require_square("slogdet")
        return rules.slogdet(self)

    def logdet(self) -> Array:
        """log det A of an operator with a positive determinant.

        Raises:
            ValueError: the determinant is not positive (use `slogdet`).
        """
        sign, logarithm = self.slogdet()
        if not bool(kind(logarithm).xp.all(self.kind.xp.real(sign) > 0 if self.kind.is_complex else sign > 0)):
            raise ValueError(f"the determinant of {self!r} is not positive: use slogdet()")
        return logarithm

    def norm(self) -> Array:
        """The Frobenius norm (Σ |a_ij|²)^½, a scalar array."""
        return rules.norm(self)

    def astype(self, dtype: Any) -> Any:
        """The operator with entries of another dtype, given by name or as the library's object."""
        xp = self.kind.xp
        return self._astype(self.kind._replace(dtype=getattr(xp, dtype) if isinstance(dtype, str) else dtype))

    def to(self, target: Any) -> Any:
        """The operator on another array library or device.

        Args:
            target: the name of a library ("numpy", "cupy", "torch", "jax"), or an array on the wanted device.
        """
        return self._map(lambda array: convert(array, target))

    def _astype(self, target: Kind) -> Any:
        def recast(array: Array) -> Array:
            return cast(array, target if kind(array).is_complex or not self.kind.is_complex else target.real)

        return self if target == self.kind else self._map(recast)

    def _heir(self, result: Any, definite: bool = False) -> Any:
        """Hand down self-adjointness and definiteness, which the adjoint and the inverse share with A."""
        if result is self:
            return result
        known = self.properties
        if known.psd and definite:
            return result._with(PD)
        return result._with(known.promise)

    def _require_square(self, name: str) -> None:
        if self.shape[0] != self.shape[1]:
            rows, columns = self.shape
            advice = "use pinv() or A.H @ A" if name in ("inverse", "solve") else "it is defined for square ones"
            raise ValueError(f"{name} of a {rows}×{columns} {type(self).__name__}: {advice}")
