"""The Lanczos process: a growing M-orthonormal basis in which M A is tridiagonal."""

import numpy as np
from scipy.linalg import eigh_tridiagonal, eigvalsh_tridiagonal

from kronlin.algebra import Operator
from kronlin.arrays import Array, Kind, all_finite, cast, conj, kind, random_normal, to_numpy
from kronlin.krylov._inner import inner
from kronlin.krylov.result import Numbers


class Basis:
    """Rows that are only ever appended, in blocks of powers of two: few blocks, and each row is copied log j times.

    A stack of such lists grows together.
    """

    def __init__(self) -> None:
        self.blocks: list[Array] = []

    def append(self, row: Array) -> None:
        """Add a row (..., 1, n)."""
        self.blocks.append(row)
        while len(self.blocks) > 1 and self.blocks[-1].shape[-2] == self.blocks[-2].shape[-2]:
            self.blocks[-2:] = [kind(row).xp.concat(self.blocks[-2:], axis=-2)]

    def rows(self, count: int) -> Array:
        """The first `count` rows, (..., count, n)."""
        return kind(self.blocks[0]).xp.concat(self.blocks, axis=-2)[..., :count, :]


class Process:
    """Vectors qᵢ with qᵢᴴ M qⱼ = δᵢⱼ and uᵢ = M qᵢ, so that T = Uᴴ A U is tridiagonal: diagonal α, side β.

    T is the compression of M^½ A M^½ to a Krylov space; its eigenvalues are the Ritz values of M A. Every new
    vector is made orthogonal to all before it. All numbers stay on the device until `coefficients` asks.

    `against` holds rows u and q of another such process, to whose vectors these are to be orthogonal as well.
    """

    def __init__(
        self,
        A: Operator,
        M: Operator | None,
        start: Array,
        own: Kind,
        against: tuple[Array, Array] | None = None,
    ) -> None:
        self.A, self.M, self.kind = A, M, own
        self.q, self.u = Basis(), Basis()
        self.alpha: list[Array] = []
        self.square: list[Array] = []
        self.others = 0 if against is None else against[0].shape[0]
        if against is not None:
            for j in range(self.others):
                self.u.append(against[0][j : j + 1, :])
                if M is not None:
                    self.q.append(against[1][j : j + 1, :])
            start = self._orthogonal(self._orthogonal(start))
        self.last = start - start
        self._hold(start)

    def _hold(self, r: Array) -> None:
        """Keep r as the next vector before scaling, with the square of its M-norm."""
        self.r, self.z = r, r if self.M is None else self.M @ r
        self.square.append(inner(self.r, self.z))

    def extend(self, steps: int) -> None:
        """Take steps, each with one product with A and one with M."""
        xp = self.kind.xp
        for _ in range(steps):
            square = self.square[-1]
            positive = square > 0
            norm = xp.sqrt(xp.where(positive, square, xp.ones_like(square)))
            scale = xp.where(positive, 1 / norm, xp.zeros_like(square))
            before, self.last = self.last, scale * self.r
            u = self.last if self.M is None else scale * self.z
            self.u.append(xp.matrix_transpose(u))
            if self.M is not None:
                self.q.append(xp.matrix_transpose(self.last))
            w = self.A @ u
            self.alpha.append(inner(u, w))
            # the recurrence first, so that one pass over the whole basis is left with rounding errors only
            self._hold(self._orthogonal(w - self.alpha[-1] * self.last - norm * before))

    def _orthogonal(self, w: Array) -> Array:
        """w - Q Uᴴ w."""
        xp = self.kind.xp
        left = self.u.blocks
        right = left if self.M is None else self.q.blocks
        for u, q in zip(left, right, strict=True):
            w = w - xp.matrix_transpose(q) @ (conj(u) @ w)
        return w

    def basis(self, count: int) -> Array:
        """The first vectors uⱼ as columns, (n, count)."""
        return self.kind.xp.matrix_transpose(self.rows(count)[0])

    def rows(self, count: int) -> tuple[Array, Array]:
        """The first vectors uⱼ and qⱼ as rows, (count, n) each."""
        u = self.u.rows(self.others + count)[self.others :, :]
        return u, u if self.M is None else self.q.rows(self.others + count)[self.others :, :]

    def coefficients(self) -> tuple[Numbers, Numbers, bool]:
        """Diagonal (j,) and side (j,) of T, whose last entry is the coupling to what was left out.

        The third value tells whether the Krylov space is exhausted; T then ends where it decouples.

        Raises:
            ValueError: M is found to be indefinite, or a value is not finite.
        """
        xp = self.kind.xp
        alpha = np.asarray(to_numpy(xp.concat(self.alpha)), dtype=np.float64)
        square = np.asarray(to_numpy(xp.concat(self.square)), dtype=np.float64)
        if not (np.isfinite(alpha).all() and np.isfinite(square).all()):
            raise ValueError("the Lanczos process met a value that is not finite: A or M returned NaN or Inf")
        if square[0] <= 0:
            raise ValueError(f"the start has sᴴ M s = {square[0]:.3g}: choose another one, or check that M is psd")
        side = np.sqrt(np.maximum(square[1:], 0.0))
        size = np.maximum.accumulate(np.abs(alpha) + side)
        # if M may be singular, rounding errors in its null space grow until they set the floor
        regular = self.M is None or self.M.is_pd
        floor = (10 * self.kind.eps * self.A.shape[0] ** 0.5 if regular else self.kind.eps**0.5) * size
        negative = square[1:] < -floor * size
        ends = np.flatnonzero(side <= floor)
        count = int(ends[0]) + 1 if len(ends) else len(alpha)
        if negative[:count].any():
            raise ValueError(f"M is not positive semidefinite: rᴴ M r = {square[1:][negative][0]:.3g} < 0")
        whole = self.others + count == self.A.shape[0]
        if whole:
            side[count - 1] = 0.0
        return alpha[:count], side[:count], bool(len(ends)) or whole


def random_start(own: Kind, n: int, seed: int) -> Array:
    """A Gaussian vector (n, 1), the same for every array library and device."""
    return random_normal(own, (n, 1), seed)


def default_start(A: Operator, M: Operator | None, own: Kind, seed: int) -> Array:
    """A Gaussian vector; brought into the range of A M where one of them may be singular.

    Outside of that range the process would carry along a part that grows as the rest is used up.
    """
    start = random_start(own, A.shape[0], seed)
    if A.is_pd is False or (M is not None and not M.is_pd):
        start = A @ (start if M is None else M @ start)
    return start


def checked_start(own: Kind, n: int, start: Array, caller: str) -> Array:
    """A start given by the caller as (n, 1), or say what is wrong with it."""
    if tuple(start.shape) != (n,) or not all_finite(start):
        raise ValueError(f"{caller}: start must be a finite vector of shape ({n},), not {tuple(start.shape)}")
    return cast(start[:, None], own)


def ritz_values(alpha: Numbers, side: Numbers) -> Numbers:
    """All Ritz values, ascending."""
    return eigvalsh_tridiagonal(alpha, side[: len(alpha) - 1])


def ritz_vectors(alpha: Numbers, side: Numbers, first: int = 0, last: int | None = None) -> Numbers:
    """Eigenvectors of T for the Ritz values `first` to `last`, as columns."""
    return _eigh(alpha, side, first, last)[1]


def ritz(alpha: Numbers, side: Numbers, first: int = 0, last: int | None = None) -> tuple[Numbers, Numbers]:
    """Ritz values `first` to `last`, ascending, with bounds β |s|: so near to each there is an eigenvalue."""
    values, vectors = _eigh(alpha, side, first, last)
    return values, side[-1] * np.abs(vectors[-1])


def _eigh(alpha: Numbers, side: Numbers, first: int, last: int | None) -> tuple[Numbers, Numbers]:
    last = len(alpha) - 1 if last is None else last
    values, vectors = eigh_tridiagonal(alpha, side[: len(alpha) - 1], select="i", select_range=(first, last))
    return values, vectors
