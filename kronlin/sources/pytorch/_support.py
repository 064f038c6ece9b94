"""Parameters that the known layers do not explain are found, named, and treated as was asked for."""

from collections.abc import Mapping, Sequence

from kronlin.sources._source import Unsupported
from kronlin.sources.pytorch._capture import Calls
from kronlin.sources.pytorch._parts import Part, alone
from kronlin.sources.pytorch._torch import Module, Tensor


def supported(
    parts: Sequence[Part],
    named: Mapping[str, Tensor],
    calls: Calls,
    uses: Mapping[int, int],
    mixing: Mapping[Module, str],
    unsupported: Unsupported,
) -> list[Part]:
    """The parts to collect: those of which hooks saw every use, in modules that treat example by example."""
    kept: list[Part] = []
    reasons: dict[str, str] = {}
    for part in parts:
        seen = sum(len(calls[role.module]) for role in part.roles)
        unseen = [name for name in part.parameters if uses.get(id(named[name]), 0) > seen]
        mixed = [f"(of {role.path!r}, which {mixing[role.module]})" for role in part.roles if role.module in mixing]
        if part.roles and not unseen and not mixed:
            kept.append(part)
            continue
        for name in part.parameters:
            reasons[name] = mixed[0] if mixed else _reason(part, seen)
            if unsupported == "columns":
                kept.append(alone(name))
    if reasons and (unsupported == "error" or not kept):
        listed = "; ".join(f"{name!r} {reason}" for name, reason in reasons.items())
        raise ValueError(
            f"no layer that is known explains these parameters: {listed}. Pass unsupported='columns' to have the "
            "gradients of single examples for them, unsupported='omit' to leave them out, or freeze them by "
            "requires_grad_(False)"
        )
    return kept


def _reason(part: Part, seen: int) -> str:
    """Why a part is not supported."""
    if not part.roles:
        return "(of a module of another kind)"
    return "(of a layer whose parameters are used outside of it too)" if seen else "(of a layer that is never called)"
