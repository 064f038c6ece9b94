"""What modules see while a model runs, caught by hooks."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from kronlin.sources.pytorch._attention import projections_apart
from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


class Call(NamedTuple):
    """One use of a module: its input, and the place in the graph where the gradient of its output passes.

    The place is not the output itself, which an activation in place would turn into something else.
    """

    inputs: Tensor
    edge: Any
    shape: tuple[int, ...]
    """That of the output."""
    version: int
    """Counts the writes into the input so far."""

    def unchanged_inputs(self, path: str) -> Tensor:
        """The input, if nobody has written into it since."""
        if self.inputs._version != self.version:
            raise ValueError(f"the input of layer {path!r} was changed in place after the layer used it: copy it first")
        return self.inputs


Calls = Mapping[Module, list[Call]]


@contextmanager
def captured(modules: Iterable[Module]) -> Iterator[Calls]:
    """Catch the calls of these modules; those without a gradient are left out. The hooks are gone afterwards."""
    torch = import_torch()
    calls: dict[Module, list[Call]] = {module: [] for module in modules}

    def note(module: Module, x: Tensor, z: Tensor) -> None:
        if z.requires_grad:
            edge = torch.autograd.graph.get_gradient_edge(z)
            calls[module].append(Call(x.detach(), edge, tuple(z.shape), x._version))

    def hook(module: Module, args: tuple[Tensor, ...], named: dict[str, Tensor], z: Tensor) -> None:
        note(module, args[0] if args else named["input"], z)

    with ExitStack() as stack:
        for module in calls:
            if isinstance(module, torch.nn.MultiheadAttention):
                stack.enter_context(projections_apart(module, note))
            else:  # in front of the hooks of others, which may replace the output
                handle = module.register_forward_hook(hook, prepend=True, with_kwargs=True)
                stack.callback(handle.remove)
        yield calls


def uses(f: Tensor) -> Counter[int]:
    """How often the graph of f takes each leaf in, by its `id`; what no hook saw is found so."""
    count: Counter[int] = Counter()
    seen, waiting = {f.grad_fn}, [f.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if hasattr(node, "variable"):
            continue
        for following, _ in node.next_functions:
            if hasattr(following, "variable"):
                count[id(following.variable)] += 1
            elif following not in seen:
                seen.add(following)
                waiting.append(following)
    return count
