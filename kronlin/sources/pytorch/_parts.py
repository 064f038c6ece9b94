"""Which parameters of a model make up a layer: shared weights, biases of their own, vectors of normalisations."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kronlin.sources.pytorch._kinds import AttentionKind, LayerKind, kind_of
from kronlin.sources.pytorch._norms import norm_of
from kronlin.sources.pytorch._torch import Module, Tensor


class Role(NamedTuple):
    """A module that has a parameter, and what it calls it."""

    path: str
    module: Module
    slot: str

    @property
    def kind(self) -> LayerKind | None:
        """That of a layer that multiplies by a weight."""
        return kind_of(self.module)

    @property
    def task(self) -> str:
        """What the parameter does there: "weight", "bias", "norm", or nothing that is known."""
        if self.kind:
            return {self.kind.weight: "weight", self.kind.bias: "bias"}.get(self.slot, "")
        return "norm" if norm_of(self.module) else ""


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the parameter vector: a weight with the bias that always goes with it, or one parameter alone.

    A weight with rows and columns becomes a layer for each of its groups. Any other parameter is a vector: a layer with
    the single input one, whose output gradients are the gradients of the examples.
    """

    name: str
    """The path of the module for a weight and its bias, else the name of the parameter."""
    parameters: tuple[str, ...]
    roles: tuple[Role, ...] = ()
    """The modules that use it; none if nothing is known of the parameter but its gradient."""
    kind: LayerKind | None = None
    """That of a weight with rows and columns, which says how they stand."""

    @property
    def groups(self) -> int:
        return 1 if self.kind is None else self.kind.groups(self.roles[0].module)


def parts_of(model: Module) -> tuple[Part, ...]:
    """The parts of the parameters that require gradients, in the order of `model.named_parameters()`.

    Modules that share a weight make one part, whose positions are those of all of them.
    """
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    _require_kinds(named)
    roles = _roles(model, named)
    parts: list[Part] = []
    paired: set[str] = set()
    for name in named:
        if name in paired:
            continue
        part = _part(name, roles)
        paired.update(part.parameters)
        parts.append(part)
    return tuple(parts)


def modules_of(model: Module, parts: Iterable[Part]) -> set[Module]:
    """The modules to watch: those with a role, and all attention, for it does not call its own `out_proj`."""
    attention = {module for module in model.modules() if isinstance(kind_of(module), AttentionKind)}
    return attention | {role.module for part in parts for role in part.roles}


def alone(name: str) -> Part:
    """A parameter of which nothing is known but its gradient."""
    return Part(name, (name,))


def _roles(model: Module, named: dict[str, Tensor]) -> dict[str, list[Role]]:
    """Each parameter's modules."""
    name_of = {id(parameter): name for name, parameter in named.items()}
    roles: dict[str, list[Role]] = defaultdict(list)
    for path, module in model.named_modules():
        for slot, parameter in module._parameters.items():  # a parametrised weight is not in it
            if id(parameter) in name_of:
                roles[name_of[id(parameter)]].append(Role(path, module, slot))
    return roles


def _part(name: str, roles: dict[str, list[Role]]) -> Part:
    uses = roles[name]
    for role in uses:
        reason = role.kind.refusal(role.module) if role.kind else ""
        if reason:
            raise ValueError(f"layer {role.path!r}, {role.module}: {reason}; make it without")
    tasks = {role.task for role in uses}
    if tasks <= {"bias", "norm"} and tasks:
        return Part(name, (name,), tuple(uses))
    if tasks != {"weight"}:
        return alone(name)
    kinds = [role.kind for role in uses if role.kind]
    if len({kind.groups(role.module) for kind, role in zip(kinds, uses, strict=True)}) > 1:
        return alone(name)
    kind = next((kind for kind in kinds if kind.order == "out-in"), kinds[0])
    biases = list(_biases(uses, roles))
    if len(set(biases)) == 1 and biases[0] and len(roles[biases[0]]) == len(uses):
        return Part(uses[0].path, (name, biases[0]), tuple(uses), kind)
    return Part(name, (name,), tuple(uses), kind)


def _biases(uses: Sequence[Role], roles: dict[str, list[Role]]) -> Iterator[str]:
    """The name of the bias that each module puts beside a weight; an empty one where it has none to be trained."""
    for role in uses:
        held = [name for name, its in roles.items() for r in its if r.module is role.module and r.task == "bias"]
        yield held[0] if held else ""


def _require_kinds(named: dict[str, Tensor]) -> None:
    """Require parameters of one kind in which kronlin computes."""
    if not named:
        raise ValueError("no parameter of the model requires a gradient: there is nothing to collect")
    first = next(iter(named))
    for name, parameter in named.items():
        if str(parameter.dtype) not in ("torch.float32", "torch.float64"):
            raise ValueError(
                f"parameter {name!r} has dtype {parameter.dtype}, and curvature needs float32 or float64: call "
                "model.float(), and let autocast choose lower precision while the model runs"
            )
        if (parameter.dtype, parameter.device) != (named[first].dtype, named[first].device):
            raise ValueError(
                f"parameter {name!r} is {parameter.dtype} on {parameter.device}, {first!r} {named[first].dtype} on "
                f"{named[first].device}: bring all to one dtype and device by model.to"
            )
