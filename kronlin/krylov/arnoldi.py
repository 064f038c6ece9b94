"""The Arnoldi process: orthonormal bases of the flexible Krylov spaces of the columns of a block, side by side."""

from collections.abc import Callable

from kronlin.arrays import Array, cast, conj, kind, root_sum_squares
from kronlin.krylov.process import Basis


class Arnoldi:
    """Vectors vⱼ and zⱼ = Mⱼ vⱼ of each column with A Zⱼ = Vⱼ₊₁ H̄ⱼ and Vᴴ V = I.

    Every product is one with a block, and everything stays on the device. Orthogonality comes from two passes of
    the Gram-Schmidt process. A column whose space is exhausted goes on with zero vectors.

    Args:
        product: Z ↦ A Z for blocks (n, k).
        precondition: V ↦ Mⱼ V, which may change from step to step; None for the identity.
        starts: a block (n, k).
        lengths: the norms of its columns, (k,).
        floor: what is left of A z by orthogonalisation counts as zero if it is shorter than `floor` ‖A z‖.

    Source: Saad, SIAM J. Sci. Comput. 14 (1993), algorithm 2.2.
    """

    def __init__(
        self,
        product: Callable[[Array], Array],
        precondition: Callable[[Array], Array] | None,
        starts: Array,
        lengths: Array,
        floor: float,
    ) -> None:
        self.product, self.precondition, self.floor = product, precondition, floor
        self.v, self.z = Basis(), Basis()
        self.next = self._scaled(starts, lengths, lengths > 0)

    def step(self) -> Array:
        """Take a step and return the next column (k, j + 1) of H̄, with an entry that is not finite if A M v has one."""
        xp = kind(self.next).xp
        self.v.append(xp.matrix_transpose(self.next)[:, None, :])
        z = self.next
        if self.precondition is not None:
            z = self.precondition(z)
            # a value that is not finite shows in A z; in the basis it would spoil every iterate
            self.z.append(xp.matrix_transpose(xp.where(xp.isfinite(z), z, xp.zeros_like(z)))[:, None, :])
        w = self.product(z)
        whole = root_sum_squares(w, axis=0)
        once, w = self._orthogonal(w)
        twice, w = self._orthogonal(w)
        length = root_sum_squares(w, axis=0)
        longer = length > self.floor * whole
        self.next = self._scaled(w, length, longer)
        below = xp.where(longer | ~xp.isfinite(whole), length, xp.zeros_like(length))
        return xp.concat([(once + twice)[..., 0], cast(below, kind(w))[:, None]], axis=1)

    def combine(self, weights: Array) -> Array:
        """Σ zⱼ yⱼ for each column, from weights (k, j)."""
        xp = kind(weights).xp
        rows = (self.v if self.precondition is None else self.z).rows(weights.shape[1])
        return xp.matrix_transpose((weights[:, None, :] @ rows)[:, 0, :])

    def _scaled(self, w: Array, length: Array, usable: Array) -> Array:
        """The columns of w as unit vectors, or as zero."""
        xp = kind(w).xp
        return xp.where(usable, w / xp.where(usable, length, xp.ones_like(length)), xp.zeros_like(w))

    def _orthogonal(self, w: Array) -> tuple[Array, Array]:
        """Vᴴ w as (k, j, 1), and w - V Vᴴ w."""
        xp = kind(w).xp
        columns = xp.matrix_transpose(w)[..., None]
        parts = []
        for v in self.v.blocks:
            part = conj(v @ conj(columns))
            columns = columns - xp.matrix_transpose(v) @ part
            parts.append(part)
        return xp.concat(parts, axis=1), xp.matrix_transpose(columns[..., 0])
