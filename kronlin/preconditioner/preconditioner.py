"""Preconditioner: what a training loop holds, statistics of the layers in, preconditioned gradients out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kronlin.algebra import Operator
from kronlin.arrays import Array, convert
from kronlin.curvature import LayerStatistics, LevenbergMarquardt, fisher, quadratic_model, tikhonov_damping
from kronlin.curvature._fisher import checked_layers
from kronlin.preconditioner._checkpoint import read, write
from kronlin.preconditioner._damping import Damping, checked, in_force, watches
from kronlin.preconditioner._refresh import refresh
from kronlin.preconditioner.averages import Averages, Estimator
from kronlin.preconditioner.clock import STAGES, Clock
from kronlin.preconditioner.control import Control
from kronlin.preconditioner.failures import NUMERICAL, Failure, Failures
from kronlin.preconditioner.recipe import Recipe
from kronlin.preconditioner.state import State

Layers = Sequence[LayerStatistics] | Callable[[], Sequence[LayerStatistics]]


class Preconditioner:
    """The preconditioner of a training loop: at every step `update(layers)`, then θ ← θ - lr · `apply(gradient)`.

    `apply` multiplies by M = (S + λ I)⁻¹, S the running average of `estimator(layers)`; with a scheme by the two-level
    method of M and of A = F + λ I, F the exact Fisher matrix of the batch at which its coarse matrix was made.

    - One clock, `Clock`, says when factors, inverses, coarse basis and coarse matrix are made anew. What is made from
      something is made with it: Z and E always belong together, and an inverse is made from factors of the same step.
    - λ is one in all pieces. When it changes, the next `update` makes them again from the curvature that they had.
    - What cannot be computed (statistics, a factorisation, a step that is not finite) changes nothing: the last
      good state is used on, a step is left out as zeros, and a `RuntimeWarning` and `failures` tell of it. Until there
      is a first good state the error is raised; so is what is wrong with the call, such as layers of another net.

    Args:
        estimator: a function from layers to an operator: `kfac`, `partial(kfac, sharing="reduce")`, `tkfac`, ...; what
            `RunningAverage` takes. `ekfac` goes with `basis=kfac`.
        damping: λ > 0, a number, one a layer, or a `LevenbergMarquardt`, which `observe` moves.
        damp: how λ enters M: `tikhonov_damping` (exact), `factored_damping`, `per_factor_damping` or another function
            of operator and λ.
        basis: an estimator in whose averaged eigenbases `estimator(layers, basis=...)` is taken. Its eigenvalues are
            carried over when the inverses are made, for only those in one basis have a mean.
        decay: α of the running average, from 0 (the newest batch only, for estimators without a mean too) to 1.
        scheme: None, or a two-level scheme as in `two_level`.
        coarse_space: a function of any of blocks (S), layers, A and M, by these names: `coarse.nicolaides`,
            `partial(coarse.spectral, k=2)`, `coarse.gradients`, or your own.
        factors_every: steps from one update of the factors to the next; likewise `inverses_every`, `basis_every` and
            `coarse_every`, each as the one before it if None.
        inverses_every: see there.
        basis_every: see there.
        coarse_every: see there.
        rescale: whether a step gets the length that the quadratic model of the batch likes best, with lr = 1.
        momentum: whether it is mixed with the previous step by that model.
        kl_clip: κ of `kl_clip`, or None.
        on_failure: "warn", or "raise".

    Cost: the estimator, one inversion and one coarse matrix when due; an application of M, or of the scheme, a step.
    `rescale`, and `LevenbergMarquardt` where it is due, take a product with the Fisher matrix of the batch.

    Raises:
        ValueError: options do not go together; the message says how.

    >>> import numpy as np, kronlin as kl
    >>> from kronlin.sources.numpy_mlp import MLP, collect
    >>> rng = np.random.default_rng(0)
    >>> x, y, net = rng.normal(size=(50, 4)), rng.integers(3, size=50), MLP((4, 5, 3))
    >>> levels = dict(scheme="BNN", coarse_space=kl.coarse.nicolaides)
    >>> preconditioner = kl.Preconditioner(kl.kfac, 0.1, inverses_every=5, **levels)
    >>> for step in range(8):
    ...     layers, gradient, loss = collect(net, "softmax", x, y)
    ...     _ = preconditioner.update(layers)
    ...     net = net.with_parameters(net.parameters - 0.5 * preconditioner.apply(gradient))
    >>> preconditioner.ages
    {'factors': 0, 'inverses': 2, 'basis': 2, 'coarse': 2}
    >>> preconditioner
    Preconditioner(step 8: TwoLevel(43×43), damping 0.1, 0 failures)

    Source: Martens and Grosse (2015), arXiv 1503.05671, for averages, damping and rescaling; two levels: Koroko et al.
    (2023), arXiv 2303.18083.
    """

    def __init__(
        self,
        estimator: Estimator,
        damping: float | Sequence[float] | LevenbergMarquardt,
        *,
        damp: Callable[[Any, Any], Any] = tikhonov_damping,
        basis: Estimator | None = None,
        decay: float = 0.95,
        scheme: str | None = None,
        coarse_space: Callable[..., Any] | None = None,
        factors_every: int = 1,
        inverses_every: int | None = None,
        basis_every: int | None = None,
        coarse_every: int | None = None,
        rescale: bool = False,
        momentum: bool = False,
        kl_clip: float | None = None,
        on_failure: str = "warn",
    ) -> None:
        self.clock = Clock(factors_every, inverses_every, basis_every, coarse_every)
        self.recipe = Recipe(estimator, basis, damp, scheme, coarse_space)
        self.control = Control(rescale, momentum, kl_clip)
        self._damping = checked(damping)
        self.step = 0
        self._failures = Failures(on_failure)
        self._state = State(Averages.start(estimator, basis, decay), self._lam)
        self._batch: Operator | None = None
        self._previous: Array | None = None
        self._taken: tuple[Operator, Array, Array] | None = None
        """A = F + λ I, the gradient and the step, of which `observe` is to hear."""

    # What it is

    @property
    def damping(self) -> Damping | LevenbergMarquardt:
        """λ, one number or one a layer, or the controller; what is set goes into all pieces at the next `update`."""
        return self._damping

    @damping.setter
    def damping(self, value: Damping | LevenbergMarquardt) -> None:
        self._damping = checked(value)

    @property
    def operator(self) -> Operator:
        """The operator that `apply` multiplies by.

        Raises:
            ValueError: there was no `update` yet.
        """
        if self._state.operator is None:
            raise ValueError("there is no curvature yet: call update(layers) before")
        return self._state.operator

    @property
    def ages(self) -> dict[str, int]:
        """How many steps ago each piece was made."""
        return {stage: self.step - self._state.made[stage] for stage in STAGES if stage in self._state.made}

    @property
    def due(self) -> tuple[str, ...]:
        """The pieces that the next `update` makes."""
        return self.clock.due(self.step + 1, self._state.made, self.recipe.scheme is not None)

    @property
    def needs_layers(self) -> bool:
        """Whether the next `update` uses its layers, for a piece or for the length of the step."""
        return bool(self.due) or self.control.rescale or watches(self._damping, self.step + 1)

    @property
    def awaits_loss(self) -> bool:
        """Whether `observe` is to be called after the step that `apply` returned."""
        return self._taken is not None

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The latest failures, each a step, what was being done, and a message."""
        return self._failures.latest

    @property
    def report(self) -> str:
        """The ages and the failures as text."""
        ages = ", ".join(f"{stage} {age}" for stage, age in self.ages.items()) or "nothing was made yet"
        return "\n".join([f"{self!r}", f"ages in steps: {ages}", *map(str, self.failures)])

    # What it does

    def update(self, layers: Layers) -> tuple[str, ...]:
        """Take the statistics of one step in, and return which pieces were made.

        Args:
            layers: the statistics of the batch of this step, in the order of the parameter vector; or a function that
                returns them, which is called only if `needs_layers`.

        Raises:
            ValueError: the layers are not those of this net, or there is no good state yet and none could be made.
        """
        needed, due = self.needs_layers, self.due
        self.step += 1
        self._batch = self._taken = None
        try:
            found = (layers() if needed else ()) if callable(layers) else layers
        except NUMERICAL as error:
            self._note("statistics", error)
            return ()
        if found or not callable(layers):
            self._state.require_same_net(checked_layers(found))
            self._batch = fisher(found) if self.control.rescale or watches(self._damping, self.step) else None
        if due or self._lam != self._state.lam:
            try:
                self._state = refresh(self.recipe, self._state, self.step, due, found, self._lam)
            except NUMERICAL as error:
                self._note(", ".join(due) or "damping", error)
                return ()
        return due

    def apply(self, gradient: Array, lr: float = 1.0) -> Array:
        """The preconditioned gradient v (p,), to be taken as the step -lr v.

        Args:
            gradient: the gradient (p,), of the library, dtype and device of the layers.
            lr: the learning rate with which the step will be taken, for `kl_clip`, `momentum` and the damping.

        Raises:
            ValueError: there is no curvature yet, or the shape or kind do not fit.
        """
        operator = self.operator
        v = operator @ gradient
        try:
            A = self._model()
            v = self.control.length(v, gradient, lr, A, self._previous)
            if A is not None and watches(self._damping, self.step):
                self._taken = A, gradient, -lr * v
        except NUMERICAL as error:
            self._note("step", error, "the step is left out")
            v = operator.kind.zeros(operator.shape[0])
        if self.control.momentum:
            self._previous = -lr * v
        return v

    def observe(self, loss_before: Any, loss_after: Any, step: Array | None = None) -> None:
        """Tell the `LevenbergMarquardt` damping both losses of a step, on the same examples, where `awaits_loss`.

        Args:
            loss_before: the loss at the parameters before the step.
            loss_after: the loss after it.
            step: the step that was taken (p,), if it was not -lr v, as with the momentum of another optimiser.

        Raises:
            ValueError: no loss is awaited.
        """
        if self._taken is None or not isinstance(self._damping, LevenbergMarquardt):
            raise ValueError(
                "no loss is awaited: with a LevenbergMarquardt damping call observe after those steps for which "
                "awaits_loss is True"
            )
        A, gradient, own = self._taken
        predicted = -quadratic_model(A, 0, gradient, own if step is None else step)
        self._damping = self._damping.update(loss_before - loss_after, predicted)
        self._taken = None

    # Its state as arrays

    def state_dict(self) -> dict[str, Any]:
        """All that decides the next steps, as a flat dictionary of NumPy arrays that `numpy.savez` writes.

        To be called between a step and the next `update`. The options are given anew; inverses are made anew from the
        same arrays, so that on a CPU the steps are the same to the last bit.
        """
        return write(self._state, {"step": self.step, "damping": self._lam, "previous": self._previous})

    def load_state_dict(self, state: Mapping[str, Any], to: Any = None) -> None:
        """Take over what `state_dict` returned, of a preconditioner with the same options.

        Args:
            state: the dictionary, or an open `numpy.load` file.
            to: the name of an array library, or an array whose library and device are wanted; NumPy if None.

        Raises:
            ValueError: the state is damaged, or is one of other options; nothing is taken over then.
        """
        found, values = read(self.recipe, self._state.averages, state, to)
        previous = values["previous"]
        if previous is not None and found.operator is not None:
            previous = convert(previous, found.operator.kind.zeros(1))
        lam, damping = values["damping"], self._damping
        self.damping = replace(damping, lam=lam) if isinstance(damping, LevenbergMarquardt) else lam
        self.step, self._state, self._previous = values["step"], found, previous
        self._batch = self._taken = None

    def __repr__(self) -> str:
        found = "no curvature yet" if self._state.operator is None else self._state.operator._summary
        lam = f"{self._lam:.3g}" if isinstance(self._lam, float) else f"of {len(self._lam)} layers"
        count = self._failures.count
        return f"Preconditioner(step {self.step}: {found}, damping {lam}, {count} failure{'' if count == 1 else 's'})"

    @property
    def _lam(self) -> Damping:
        return in_force(self._damping)

    def _note(self, doing: str, error: Exception, instead: str = "the last good state is used on") -> None:
        """Enter what went wrong; while there is no good state, raise it."""
        self._failures.note(self.step, doing, error, instead, fatal=self._state.operator is None)

    def _model(self) -> Operator | None:
        """F + λ I of the batch of this step, if its length or the damping is to follow from it."""
        if self._batch is not None:
            found: Operator = tikhonov_damping(self._batch, self._state.lam)
            return found
        if self.control.rescale:
            raise ValueError("the statistics of this step are missing, and its length is to follow from them")
        return None
