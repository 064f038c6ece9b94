"""PreconditionedOptimizer: an optimiser of PyTorch whose gradients are preconditioned before each step."""

from collections.abc import Callable, Sequence
from typing import Any

from kronlin.arrays import Array, optional_import, to_numpy
from kronlin.curvature import LayerStatistics, ParameterLayout
from kronlin.preconditioner import Preconditioner
from kronlin.sources import pytorch
from kronlin.sources.pytorch._as_found import as_found, differentiable
from kronlin.sources.pytorch._collect import collect_in_passing
from kronlin.sources.pytorch._risk import risk_of


class PreconditionedOptimizer:
    """Any `torch.optim` optimiser around a `Preconditioner`: `update(x, y)` takes the statistics, `step()` the step.

    A step puts v = `preconditioner.apply(g)` in the place of the gradient g that your backward passes left in `.grad`,
    summed over as many batches as you like, and lets the optimiser do with it what it does: momentum, weight decay,
    clipping. Parameters that belong to no layer keep their gradient, and those of no parameter group are not moved.
    `backward(x, y)` is a backward pass and `update(x, y)` in one, without a second pass where statistics are due.

    The optimiser stays itself: give `.optimizer` to a scheduler or a `GradScaler` (unscale before `step`).

    Args:
        optimizer: an optimiser of PyTorch, with any parameter groups.
        model: the module.
        loss: as `kronlin.sources.pytorch.collect` takes it.
        preconditioner: a `Preconditioner`.
        options: for `collect`, such as unsupported="omit", or fisher="mc", which draws with `seed` plus the number of
            the step.

    Cost: when statistics are due, those of `collect`; else nothing beyond the application. The learning rate that the
    preconditioner is told is the largest of the groups.

    >>> import torch, kronlin as kl
    >>> _ = torch.manual_seed(0)
    >>> model, loss = torch.nn.Linear(3, 2), torch.nn.MSELoss()
    >>> x, y = torch.randn(20, 3), torch.randn(20, 2)
    >>> optimizer = kl.training.PreconditionedOptimizer(
    ...     torch.optim.SGD(model.parameters(), lr=1.0), model, loss, kl.Preconditioner(kl.kfac, 1e-4)
    ... )
    >>> for step in range(2):
    ...     optimizer.zero_grad()
    ...     risk = optimizer.backward(x, y)
    ...     optimizer.step()
    >>> best = torch.linalg.lstsq(torch.hstack([x, torch.ones(20, 1)]), y).solution
    >>> bool(torch.allclose(model.weight, best[:3].T, atol=1e-2))
    True
    """

    def __init__(self, optimizer: Any, model: Any, loss: Any, preconditioner: Preconditioner, **options: Any) -> None:
        self.optimizer, self.model, self.loss = optimizer, model, loss
        self.preconditioner = preconditioner
        self.options = options
        self._layout: ParameterLayout | None = None
        self._layers: list[tuple[str, int, int]] = []
        self._batch: tuple[Any, Any, float] | None = None
        self._before: Array | None = None
        """The parameters before a step after which the loss is awaited."""

    @property
    def param_groups(self) -> Any:
        """Those of the optimiser."""
        return self.optimizer.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As that of the optimiser."""
        self.optimizer.zero_grad(set_to_none=set_to_none)

    def update(self, x: Any, y: Any) -> None:
        """Take in the statistics of a batch, if they are due; call it once for each step, before it.

        Args:
            x: what the model takes, as for `collect`; of several batches whose gradients are summed, one.
            y: the labels.
        """
        self._take_in(x, y, pytorch.collect)

    def backward(self, x: Any, y: Any) -> float:
        """Add ∇loss(model(x), y) to `.grad` and take in the statistics of the batch, if they are due; return the loss.

        As `loss(model(x), y).backward()` and `update(x, y)`, but where statistics are due their gradient is used. A
        model with parameters outside of all layers (unsupported="omit"), or a batch whose statistics fail, takes the
        backward pass too. With a `GradScaler` make the scaled backward pass yourself, and call `update`.

        Args:
            x: what the model takes, as for `collect`.
            y: the labels.

        Raises:
            ValueError: as `collect`, where the first statistics fail.
        """
        gradient = self._take_in(x, y, _of_training)
        named = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        if gradient is None or self._batch is None or self._layout is None or set(self._layout.names) != set(named):
            risk = risk_of(self.model, self.loss, x, y)
            risk.backward()
            return float(risk.detach())
        for name, array in self._layout.arrays(gradient).items():
            own = array.reshape(named[name].shape)
            named[name].grad = own.clone() if named[name].grad is None else named[name].grad + own
        return self._batch[2]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Precondition the gradients and let the optimiser make its step; return what it returns.

        Args:
            closure: None, or a function that computes loss and gradients again, for optimisers that take one.

        Raises:
            ValueError: `update` was not called yet, or a parameter of a layer has no gradient.
        """

        def preconditioned() -> Any:
            assert closure is not None
            value = closure()
            self._precondition()
            return value

        if closure is None:
            self._precondition()
        result = self.optimizer.step(None if closure is None else preconditioned)
        if self._before is not None and self._batch is not None:
            x, y, risk = self._batch
            self.preconditioner.observe(risk, self._risk(x, y), step=self._vector("data") - self._before)
        return result

    def state_dict(self) -> dict[str, Any]:
        """The states of the optimiser and of the preconditioner, as tensors and plain values, for `torch.save`."""
        torch = optional_import("torch", extra="torch")
        arrays = self.preconditioner.state_dict()
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return {"optimizer": self.optimizer.state_dict(), "preconditioner": tensors, "layers": self._layers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, for a model of the same layers.

        Raises:
            ValueError: the state is damaged, or is one of other options or layers.
        """
        self._know(state["layers"])
        arrays = {name: to_numpy(tensor) for name, tensor in state["preconditioner"].items()}
        self.preconditioner.load_state_dict(arrays, to=next(iter(self.model.parameters())).detach())
        self.optimizer.load_state_dict(state["optimizer"])
        self._batch = self._before = None

    def _take_in(self, x: Any, y: Any, collect: Callable[..., Any]) -> Array | None:
        """Update the preconditioner; return the gradient where statistics were due and could be taken."""
        self._batch = None
        found: list[Array] = []

        def statistics() -> Sequence[LayerStatistics]:
            options = {**self.options, **self._seed()}
            layers, gradient, risk = collect(self.model, self.loss, x, y, **options)
            self._batch = x, y, risk
            self._know([(str(layer.name), layer.d_out, layer.d_in) for layer in layers])
            found.append(gradient)
            return layers

        self.preconditioner.update(statistics)
        return found[0] if found else None

    def _seed(self) -> dict[str, int]:
        """A seed of its own for the labels that each step draws."""
        if self.options.get("fisher") != "mc":
            return {}
        return {"seed": self.options.get("seed", 0) + self.preconditioner.step}

    def _know(self, layers: list[tuple[str, int, int]]) -> None:
        """Keep the names and sizes of the layers, and the layout that follows from them."""
        if layers == self._layers:
            return
        self._layout, self._layers = None, []
        if not layers:
            return
        one = next(iter(self.model.parameters())).new_ones
        stand_ins = [
            LayerStatistics(one(1, d_in).detach(), one(1, d_out).detach(), name) for name, d_out, d_in in layers
        ]
        self._layout, self._layers = pytorch.layout(self.model, stand_ins), layers

    def _precondition(self) -> None:
        """Put v where g is."""
        gradient = self._vector("grad")
        v = self.preconditioner.apply(gradient, lr=max(float(group["lr"]) for group in self.param_groups))
        named = dict(self.model.named_parameters())
        assert self._layout is not None
        for name, array in self._layout.arrays(v).items():
            named[name].grad = array.reshape(named[name].shape).clone()
        self._before = self._vector("data") if self.preconditioner.awaits_loss else None

    def _vector(self, what: str) -> Array:
        """The parameters ("data") or their gradients ("grad") as one vector."""
        if self._layout is None:
            raise ValueError("there are no statistics yet: call update(x, y) before step()")
        named = dict(self.model.named_parameters())
        arrays = {name: getattr(named[name], what) for name in self._layout.names}
        missing = [name for name, array in arrays.items() if array is None]
        if missing:
            raise ValueError(f"{', '.join(missing)} has no gradient: call backward() before step()")
        return self._layout.vector({name: array.reshape(tuple(array.shape) or (1,)) for name, array in arrays.items()})

    def _risk(self, x: Any, y: Any) -> float:
        """The loss on a batch; NaN where it overflows, which counts as a poor step."""
        with as_found(self.model), optional_import("torch", extra="torch").no_grad():
            return float(risk_of(self.model, self.loss, x, y))


def _of_training(*given: Any, **options: Any) -> Any:
    """Collect in a pass that leaves the model as training does."""
    with differentiable():
        return collect_in_passing(*given, **options)
