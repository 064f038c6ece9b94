"""Which parameters make up a layer: a kernel with its bias, or a vector alone; and what is done with all others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kronlin.curvature.layerweight import Shape
from kronlin.curvature.layout import ParameterLayout
from kronlin.sources._source import Unsupported
from kronlin.sources.jax._products import Lookup, Product
from kronlin.sources.jax._uses import Other, Shift, Use

EXCHANGE = str.maketrans("OI", "IO")
"""Outputs for inputs: the letters of a transpose."""


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the parameter vector.

    With products it is a kernel, and a layer for each of its groups. Without, it is any parameter as a layer with the
    single input one: the gradients of the examples are its output gradients.
    """

    kernel: str
    bias: str | None
    products: tuple[Product, ...]
    order: str
    """A letter for each axis of the kernel, or of what stands for it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Those of its layers."""
        groups = self.products[0].groups if self.products else 1
        return (self.kernel,) if groups == 1 else tuple(f"{self.kernel}[{j}]" for j in range(groups))


def parts_of(
    uses: Mapping[str, Sequence[Use]], shapes: Mapping[str, Shape], unsupported: Unsupported
) -> tuple[Part, ...]:
    """The parts of the parameters with these uses, in the order in which a program first uses them.

    Raises `ValueError` where a parameter is not supported, with its name and the reason.
    """
    biases = {kernel: bias for kernel in uses if (bias := _bias(kernel, uses)) is not None}
    parts: list[Part] = []
    reasons: dict[str, str] = {}
    for name in sorted(uses, key=lambda name: min((use.place for use in uses[name]), default=-1)):
        if name in biases.values():
            continue
        products = tuple(use for use in uses[name] if isinstance(use, Product))
        reason = _reason(uses[name], shapes[name])
        if not reason:
            whole = products if len(products) == len(uses[name]) and _shared(products) else ()
            order = _order(whole) if whole else "O" * max(len(shapes[name]), 1)
            parts.append(Part(name, biases.get(name), whole, order))
        elif unsupported == "columns":
            parts.append(Part(name, None, (), "O" * max(len(shapes[name]), 1)))
        else:
            reasons[name] = reason
    if reasons and unsupported == "error":
        listed = "; ".join(f"{name!r} {reason}" for name, reason in reasons.items())
        raise ValueError(
            f"no layer that is known explains these parameters: {listed}. Pass unsupported='columns' to have the "
            "gradients of single examples for them, unsupported='omit' to leave them out, or let the model close over "
            "them instead of taking them as parameters"
        )
    if not parts:
        raise ValueError("there are no parameters of which a layer could be made")
    return tuple(parts)


def layout_of(parts: Sequence[Part], shapes: Mapping[str, Shape]) -> ParameterLayout:
    """The layout of these parts, all other parameters left out. What has no axes has one there."""
    return ParameterLayout(
        {name: shape or (1,) for name, shape in shapes.items()},
        [(part.kernel, part.bias) for part in parts],
        order={part.kernel: part.order for part in parts},
        others="omit",
    )


def _reason(uses: Sequence[Use], shape: Shape) -> str:
    """Why a parameter is not supported; empty if it is.

    A vector is, whatever is done with it: the gradients of the examples are no longer than those at a layer's outputs.
    """
    if not uses:
        return "is not used by the model"
    if sum(length > 1 for length in shape) <= 1:
        return ""
    for use in uses:
        if isinstance(use, Other):
            return use.reason
    products = [use for use in uses if isinstance(use, Product)]
    if len(products) < len(uses):
        return "is a bias with more than one axis that has no kernel of its own"
    return "" if _shared(products) else "is used with other axes as its outputs in one place than in another"


def _alike(products: Sequence[Product]) -> bool:
    """Whether all uses take the kernel as the same matrix."""
    return len({(product.letters, product.groups) for product in products}) == 1


def _shared(products: Sequence[Product]) -> bool:
    """Whether all uses take the kernel as the same matrix or its transpose."""
    letters = products[0].letters if products else ""
    if _alike(products) or not products:
        return bool(products)
    return set(letters) == {"O", "I"} and {p.letters for p in products} == {letters, letters.translate(EXCHANGE)}


def _order(products: Sequence[Product]) -> str:
    """The order in which most is a layer of its own right: that of a matrix product rather than of a table."""
    return next((product for product in products if not isinstance(product, Lookup)), products[0]).letters


def _bias(kernel: str, uses: Mapping[str, Sequence[Use]]) -> str | None:
    """The bias that always goes with a kernel, and only with this one."""
    products = [use for use in uses[kernel] if isinstance(use, Product)]
    if len(products) < len(uses[kernel]) or not _alike(products):
        return None
    for name, its in uses.items():
        shifted = [use.product for use in its if isinstance(use, Shift)]
        if len(shifted) == len(its) == len(products) and set(shifted) == set(products):
            return name
    return None
