"""The two inverse factors of one layer in K-BFGS, each kept by BFGS updates."""

from collections.abc import Callable
from typing import NamedTuple

from kronlin.arrays import Array, diagonal_of, inverse_positive, kind, root_sum_squares
from kronlin.curvature._bfgs import double_damping, inverse_bfgs
from kronlin.curvature._kfac import second_moment
from kronlin.curvature.statistics import LayerStatistics


class KBFGSFactors(NamedTuple):
    """H_a ≈ (A + √(λS) I)⁻¹ and H_g ≈ (G + √(λ/S) I)⁻¹ of one layer, and what their recursions carry on.

    A = (1/n) Σ_is a aᵀ is summed over the S positions, and G, the curvature in the preactivation, is a mean over them:
    their product is as that of K-FAC "expand", and the damping is split in the same proportion.

    Args:
        A: (d_in, d_in), the running average of the second moment of the inputs.
        H_a: (d_in, d_in), the inverse factor of the inputs.
        H_g: (d_out, d_out), the inverse factor of the output gradients.
        s: (d_out,), the running average of the change of the mean preactivation.
        y: (d_out,), that of the change of its mean gradient.
        S: positions that share the weight.
        skipped: how many updates were skipped because of their curvature, of H_a and of H_g.
        resets: how often each factor was set back because it was too large or no longer positive.
    """

    A: Array
    H_a: Array
    H_g: Array
    s: Array
    y: Array
    S: int
    skipped: tuple[int, int] = (0, 0)
    resets: tuple[int, int] = (0, 0)

    @classmethod
    def start(cls, layer: LayerStatistics, lam: float) -> "KBFGSFactors":
        """A of these examples, H_a its damped inverse, H_g = I."""
        own, A = kind(layer.inputs), _moment(layer)
        zero = own.zeros(layer.d_out)
        return cls(A, _damped_inverse(A, (lam * layer.S) ** 0.5), own.eye(layer.d_out), zero, zero, layer.S)

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs and inputs of the layer."""
        return self.H_g.shape[0], self.H_a.shape[0]

    def with_inputs(self, layer: LayerStatistics, lam: float, decay: float, bound: float) -> "KBFGSFactors":
        """Take examples into A, and update H_a by the pair s = H_a ā, y = (A + √(λS) I) s."""
        lam, mean = (lam * self.S) ** 0.5, kind(self.A).xp.mean(layer.inputs, axis=(0, 1))
        A = decay * self.A + (1 - decay) * _moment(layer)
        s = self.H_a @ mean
        H, skipped = inverse_bfgs(self.H_a, s, A @ s + lam * s)
        H, reset = _guarded(H, bound * max(1.0, 1 / lam), lambda: _damped_inverse(A, lam))
        return self._replace(A=A, H_a=H)._counted(0, skipped, reset)

    def with_outputs(self, s: Array, y: Array, lam: float, decay: float, mu: float, bound: float) -> "KBFGSFactors":
        """Take the change of the mean preactivation and of its mean gradient into s and y, and update H_g."""
        lam = (lam / self.S) ** 0.5
        s, y = decay * self.s + (1 - decay) * s, decay * self.y + (1 - decay) * y
        H, skipped = inverse_bfgs(self.H_g, *double_damping(self.H_g, s, y, lam, mu))
        H, reset = _guarded(H, bound * max(1.0, 1 / lam), lambda: kind(H).eye(H.shape[0]))
        return self._replace(s=s, y=y, H_g=H)._counted(1, skipped, reset)

    def _counted(self, side: int, skipped: bool, reset: bool) -> "KBFGSFactors":
        """Add to the counts of one side, H_a or H_g."""

        def add(counts: tuple[int, int], more: bool) -> tuple[int, int]:
            return (counts[0] + more, counts[1]) if side == 0 else (counts[0], counts[1] + more)

        return self._replace(skipped=add(self.skipped, skipped), resets=add(self.resets, reset))


def _moment(layer: LayerStatistics) -> Array:
    """(1/n) Σ_is a aᵀ."""
    return second_moment(layer.inputs) / layer.n


def _damped_inverse(A: Array, lam: float) -> Array:
    return inverse_positive(A + lam * kind(A).eye(A.shape[0]))


def _guarded(H: Array, limit: float, restart: Callable[[], Array]) -> tuple[Array, bool]:
    """H while its eigenvalues have a root mean square ‖H‖ / √d up to `limit` and its diagonal is positive, else anew.

    Entries that are NaN fail both.
    """
    xp, size = kind(H).xp, root_sum_squares(H, axis=(0, 1))
    sound = xp.all(diagonal_of(H) > 0) & (size <= limit * H.shape[0] ** 0.5)
    return (H, False) if bool(sound) else (restart(), True)
