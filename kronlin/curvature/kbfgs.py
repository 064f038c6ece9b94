"""K-BFGS: the inverse of a Kronecker-factored curvature, kept by BFGS updates instead of factorisations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from kronlin.algebra import assume
from kronlin.arrays import Array, Kind, kind
from kronlin.curvature._fisher import checked_layers
from kronlin.curvature._kbfgs_state import factors_of, state_arrays
from kronlin.curvature._layer_means import layer_means
from kronlin.curvature.kbfgsfactors import KBFGSFactors
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import BlockDiagonal, Dense, Kronecker


@dataclass(frozen=True, eq=False, repr=False)
class KBFGS:
    """The state of K-BFGS: for each layer H_g ⊗ H_a ≈ (G + √(λ/S) I)⁻¹ ⊗ (A + √(λS) I)⁻¹, updated from step to step.

    Begin with `KBFGS.start(layers, lam)`; every step is `state.inverse @ gradient`, and after it `state.update(...)`
    returns the next state. A state is immutable.

    - H_a: A = (1/n) Σ_is a aᵀ is averaged over the steps; the pair of its BFGS update is s = H_a ā with the mean input
      ā, and y = A s + √(λS) s.
    - H_g: s is the change of the mean preactivation z̄ = W~ ā, y that of the mean output gradient ḡ, both on the same
      examples before and after a step. Both are averaged over the steps and damped twice (`double_damping`), with
      √(λ/S). G, the curvature of the loss in z, is not formed.

    Means run over examples and positions, and so does G, while A is a sum over the S positions. With the same G and A,
    `factored_damping(kfac(layers), lam, pi=None)` is the damped product for S = 1; for S > 1 it is that with π = 1/√S.
    An update costs n S (d_in² + d_out) + O(d_in² + d_out²) a layer, without a factorisation, and one more forward and
    backward pass of the net; the start costs O(d_in³) a layer.

    An update without usable curvature is skipped: of H_a where ā = 0, of H_g where nothing moved. A factor is reset,
    H_a to its exact inverse and H_g to I, when the root mean square of its eigenvalues is beyond `bound` times
    max(1, 1/√(λS)) or max(1, √(S/λ)), or its diagonal is no longer positive. `skipped` and `resets` count both.

    Args:
        factors: the `KBFGSFactors` of each layer, in the order of the parameter vector.
        lam: the damping λ > 0 of the product.
        decay: weight of the past in the running averages, 0 ≤ decay < 1.
        mu: μ of Powell's damping, 0 < μ < 1.
        bound: how large a factor may grow, at least 1; the numbers that it multiplies bound the damped inverses and I.
        updates: how many updates were made.

    Raises `ValueError` for an option out of range, and for complex layers or layers of different kinds.

    >>> import numpy as np
    >>> layers = [LayerStatistics(np.array([[1.0, 2.0]]), np.array([[3.0]]))]
    >>> state = KBFGS.start(layers, lam=1.0)
    >>> state
    KBFGS(2×2, numpy float64, 1 layer, 0 updates, 0 skipped, 0 resets)
    >>> state.inverse
    BlockDiagonal(2×2, float64, pd: Kronecker(1×1 ⊗ 2×2))
    >>> moved = [LayerStatistics(np.array([[1.0, 2.0]]), np.array([[2.0]]))]
    >>> state = state.update(layers, np.array([1.0, 1.0]), moved, np.array([0.9, 0.8]))
    >>> float(state.factors[0].H_g[0, 0])  # z fell by ½ and g by 1: G = 2, and λ = 1
    0.33333333
    >>> state.skipped, state.resets
    (((0, 0),), ((0, 0),))

    Source: Goldfarb, Ren and Bahamou (2020), "Practical quasi-Newton methods for training deep neural networks",
    arXiv 2006.08877; the damping and shared weights: Ren, Bahamou and Goldfarb (2021), "Kronecker-factored quasi-Newton
    methods for deep learning", arXiv 2102.06737.
    """

    factors: tuple[KBFGSFactors, ...]
    lam: float
    decay: float = 0.9
    mu: float = 0.2
    bound: float = 100.0
    updates: int = 0

    def __post_init__(self) -> None:
        for name, value, fits, due in (
            ("lam", self.lam, isfinite(self.lam) and self.lam > 0, "a finite damping > 0"),
            ("decay", self.decay, 0 <= self.decay < 1, "0 <= decay < 1"),
            ("mu", self.mu, 0 < self.mu < 1, "0 < mu < 1"),
            ("bound", self.bound, self.bound >= 1, "bound >= 1"),
        ):
            if not fits:
                raise ValueError(f"{name} = {value}: K-BFGS takes {due}")

    @classmethod
    def start(cls, layers: Sequence[LayerStatistics], lam: float, **options: Any) -> "KBFGS":
        """Begin with H_a = (A + √(λS) I)⁻¹ of these examples and H_g = I; `options` are decay, mu and bound."""
        cls((), lam, **options)  # for its checks, before anything is computed
        _checked_kind(layers)
        return cls(tuple(KBFGSFactors.start(layer, lam) for layer in layers), lam, **options)

    def update(
        self,
        layers: Sequence[LayerStatistics],
        parameters: Array,
        new_layers: Sequence[LayerStatistics],
        new_parameters: Array,
    ) -> "KBFGS":
        """The state after a step, from the layers before and after it on the same examples.

        Args:
            layers: the statistics at `parameters`, with the gradients of the losses of the examples as output
                gradients (K = 1, not divided by n; of a source with `fisher="empirical"`).
            parameters: (p,), layers in order, each [W | b] row by row.
            new_layers: the statistics at `new_parameters`.
            new_parameters: (p,), those after the step.

        Raises:
            ValueError: sizes or kinds do not fit, the output gradients have several columns, or parameters are not
                finite.
        """
        self._require_same_net(layers)
        self._require_same_net(new_layers)
        if layers[0].n != new_layers[0].n:
            raise ValueError(
                f"{layers[0].n} examples before the step and {new_layers[0].n} after it: take the same ones, "
                "so that the changes are those of the step"
            )
        factors = []
        points = (layer_means(layers, parameters), layer_means(new_layers, new_parameters))
        for old, layer, before, after in zip(self.factors, layers, *points, strict=True):
            new = old.with_inputs(layer, self.lam, self.decay, self.bound)
            s, y = after.z - before.z, after.g - before.g
            factors.append(new.with_outputs(s, y, self.lam, self.decay, self.mu, self.bound))
        return replace(self, factors=tuple(factors), updates=self.updates + 1)

    @property
    def inverse(self) -> BlockDiagonal:
        """The approximate inverse curvature: a `BlockDiagonal` of H_g ⊗ H_a, positive definite."""
        return BlockDiagonal([Kronecker(*(assume(Dense(H), "pd") for H in (f.H_g, f.H_a))) for f in self.factors])

    @property
    def skipped(self) -> tuple[tuple[int, int], ...]:
        """Skipped updates of H_a and of H_g, a pair for each layer."""
        return tuple(f.skipped for f in self.factors)

    @property
    def resets(self) -> tuple[tuple[int, int], ...]:
        """Resets of H_a and of H_g, a pair for each layer."""
        return tuple(f.resets for f in self.factors)

    def state_dict(self) -> dict[str, Array]:
        """What a later `from_state_dict` needs beside the options, as arrays by name: "0.H_a", …, and the counts."""
        return state_arrays(self.factors, self.updates)

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Array], lam: float, **options: Any) -> "KBFGS":
        """The state whose `state_dict` this is; the options are given anew, and may be others.

        Raises:
            ValueError: an array is missing, or has a shape, kind or entry that does not belong there.
        """
        factors, updates = factors_of(state)
        return cls(factors, lam, updates=updates, **options)

    def _require_same_net(self, layers: Sequence[LayerStatistics]) -> None:
        """Require layers of the sizes, positions and kind of this state."""
        own, state = _checked_kind(layers), kind(self.factors[0].A)
        found = [(layer.d_out, layer.d_in, layer.S) for layer in layers]
        due = [(*f.shape, f.S) for f in self.factors]
        if found != due:
            raise ValueError(f"the layers have (d_out, d_in, S) = {found}, but this state was started with {due}")
        if own != state:
            raise ValueError(f"the layers are {own}, but this state is {state}: convert them, or start anew")

    def __repr__(self) -> str:
        p = sum(f.H_g.shape[0] * f.H_a.shape[0] for f in self.factors)
        layers = f"{len(self.factors)} layer{'s' if len(self.factors) > 1 else ''}"
        counts = f"{self.updates} updates, {_total(self.skipped)} skipped, {_total(self.resets)} resets"
        return f"KBFGS({p}×{p}, {kind(self.factors[0].A)}, {layers}, {counts})"


def _checked_kind(layers: Sequence[LayerStatistics]) -> Kind:
    """The kind of all layers, which is one and real."""
    kinds = [kind(layer.inputs) for layer in checked_layers(layers)]
    for other in kinds:
        if other != kinds[0]:
            raise ValueError(f"the layers are {kinds[0]} and {other}: bring them to one library, dtype and device")
    if kinds[0].is_complex:
        raise ValueError(f"the layers are {kinds[0]}: K-BFGS is for real arrays")
    return kinds[0]


def _total(pairs: tuple[tuple[int, int], ...]) -> int:
    return sum(map(sum, pairs))
