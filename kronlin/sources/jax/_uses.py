"""What a program does with its parameters, found by reading it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kronlin.sources.jax._axes import Axes, follow
from kronlin.sources.jax._products import Product, product_of
from kronlin.sources.jax._program import Equation, Program, is_literal


@dataclass(frozen=True, eq=False)
class Shift:
    """A parameter is added to a product as its bias: the same at every position."""

    place: int
    product: Product


@dataclass(frozen=True)
class Other:
    """Any other use of a parameter."""

    place: int
    reason: str


Use = Product | Shift | Other


class _Moved(NamedTuple):
    """A variable that is a parameter, or the result of a product, with its axes moved at most."""

    origin: Any
    axes: Axes


def uses_of(program: Program, count: int) -> tuple[list[Use], ...]:
    """All uses of each of the first `count` inputs of a program, in the order in which they happen."""
    reader = _Reader(program, count)
    for place, equation in enumerate(program.jaxpr.eqns):
        reader.read(place, equation)
    for v in program.jaxpr.outvars:
        if not is_literal(v) and v in reader.parameters:
            leaf = reader.parameters[v].origin
            reader.uses[leaf].append(Other(len(program.jaxpr.eqns), "is itself an output"))
    return tuple(reader.uses)


class _Reader:
    """Follows parameters and products through a program."""

    def __init__(self, program: Program, count: int) -> None:
        leaves = program.jaxpr.invars[:count]
        self.shapes = [tuple(v.aval.shape) for v in leaves]
        self.uses: list[list[Use]] = [[] for _ in leaves]
        self.parameters = {v: _Moved(j, tuple(range(len(v.aval.shape)))) for j, v in enumerate(leaves)}
        self.products: dict[Any, _Moved] = {}
        operands = [v for equation in program.jaxpr.eqns for v in equation.invars]
        self.readers = Counter(v for v in (*operands, *program.jaxpr.outvars) if not is_literal(v))

    def read(self, place: int, equation: Equation) -> None:
        """Take note of one operation."""
        variables = [None if is_literal(v) else v for v in equation.invars]
        held = [(operand, self.parameters[v]) for operand, v in enumerate(variables) if v in self.parameters]
        moved = follow(equation, held[0][1].axes) if held else None
        if moved is not None:
            self.parameters[equation.outvars[0]] = _Moved(held[0][1].origin, moved)
        elif len(held) == 1:
            operand, parameter = held[0]
            self.uses[parameter.origin].append(self._use(place, equation, operand, parameter))
        elif held:
            name = equation.primitive.name
            for _, parameter in held:
                self.uses[parameter.origin].append(Other(place, f"meets another parameter in {name!r}"))
        elif variables and variables[0] in self.products and self.readers[variables[0]] == 1:
            origin, axes = self.products[variables[0]]
            moved = follow(equation, axes)
            if moved is not None:
                self.products[equation.outvars[0]] = _Moved(origin, moved)

    def _use(self, place: int, equation: Equation, operand: int, parameter: _Moved) -> Use:
        """What an operation does with the only parameter among its operands."""
        if equation.primitive.name == "add":
            shifted = self._shifted(equation.invars[1 - operand], parameter)
            return Shift(place, shifted) if shifted else Other(place, "is added, but to no product as its bias")
        found = product_of(place, equation, operand, parameter.axes, len(self.shapes[parameter.origin]))
        if isinstance(found, str):
            return Other(place, found)
        z = equation.outvars[0]
        self.products[z] = _Moved(found, tuple(range(len(z.aval.shape))))
        return found

    def _shifted(self, other: Any, bias: _Moved) -> Product | None:
        """The product to which a bias is added: nobody else sees it without, and the axes are those of its outputs."""
        if is_literal(other) or other not in self.products or self.readers[other] != 1:
            return None
        product, axes = self.products[other]
        shape = self.shapes[bias.origin]
        lengths = [product.equation.outvars[0].aval.shape[axis] for axis in product.outputs]
        if not shape or list(shape) != lengths or len(bias.axes) != len(axes):
            return None
        places: Sequence[int | None] = [None if axis is None else product.outputs[axis] for axis in bias.axes]
        matched = [place for place, axis in zip(places, axes, strict=True) if place is not None and place == axis]
        return product if len(matched) == len(shape) else None
