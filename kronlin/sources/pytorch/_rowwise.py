"""Graphs made of steps that treat row by row, which is seen from the steps alone, without a backward pass."""

from typing import Any

from kronlin.sources.pytorch._torch import Tensor

ACTIVATIONS = {
    "Elu",
    "Gelu",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyRelu",
    "LogSigmoid",
    "Mish",
    "NativeDropout",
}
ACTIVATIONS |= {"Relu", "Sigmoid", "Silu", "Softplus", "Tanh"}
ENTRYWISE = ACTIVATIONS | {"Abs", "Add", "Clone", "Cos", "Div", "Exp", "Mul", "Neg", "Sin", "Sqrt", "Sub", "ToCopy"}
RESHAPING = {"ReshapeAlias", "Squeeze", "UnsafeView", "Unsqueeze", "View"}
POOLING = [f"{kind}{d}D" for kind in ("AvgPool", "AdaptiveAvgPool") for d in (2, 3)]
POOLING += [f"MaxPool{d}DWithIndices" for d in (2, 3)]
ROWS_AT = {"Mm": 0, "Addmm": 1, "Convolution": 0} | dict.fromkeys(POOLING, 0)
"""Where, among their arguments, the rows of a product stand: with a weight behind them, and never behind a weight."""


def rowwise(f: Tensor) -> bool:
    """Whether all steps that made f from the parameters are known to keep the rows of its examples apart.

    That is a look at the graph, which costs no arithmetic. False says only that it is not known: a transposition, a sum
    over rows, a step of another kind, and a version of PyTorch that does not tell the shapes.
    """
    seen, waiting = {f.grad_fn}, [f.grad_fn]
    while waiting:
        node = waiting.pop()
        if _made_of_parameters(node):
            continue
        if not _keeps_rows_apart(node, len(f)):
            return False
        following = {after for after, _ in node.next_functions} - seen
        seen |= following
        waiting += following
    return True


def _keeps_rows_apart(node: Any, n: int) -> bool:
    """Whether each example's piece of a step is made of its piece of what comes before.

    A tensor whose first axis is a multiple of n is n pieces, each example's entries one after the other. A reshaping
    leaves them as they are, whatever the shapes; entrywise steps keep them if they keep the shape (beside something
    larger they repeat rows); products with a weight and poolings act on other axes than the first.
    """
    name, shape = _name(node), _shape(node, 0)
    before = {j: _shape(*after) for j, after in enumerate(node.next_functions) if not _made_of_parameters(after[0])}
    if any(not s or s[0] % n for s in [shape, *before.values()]):
        return False
    if name in ENTRYWISE:
        return all(s == shape for s in before.values())
    return name in RESHAPING or list(before) in ([], [ROWS_AT.get(name)])


def _made_of_parameters(node: Any) -> bool:
    """A constant, a parameter, its transpose or a copy in low precision: nothing that depends on an example."""
    while node is not None and _name(node) in ("T", "ToCopy"):
        node = node.next_functions[0][0]
    return node is None or hasattr(node, "variable")


def _name(node: Any) -> str:
    """What PyTorch calls a step of its own; the steps of users end otherwise."""
    return str(node.name()).removesuffix("Backward0")


def _shape(node: Any, j: int) -> tuple[int, ...]:
    """The shape of output j of a step; nothing where it is not told."""
    outputs = getattr(node, "_input_metadata", ())  # the inputs of the backward step
    return tuple(outputs[j].shape) if j < len(outputs) else ()
