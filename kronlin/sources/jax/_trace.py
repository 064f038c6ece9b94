"""A model and its parameters as one program for a single example, and what it uses the parameters for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kronlin.arrays import Array
from kronlin.curvature.layerweight import Shape
from kronlin.sources.jax._jax import Tree, import_jax
from kronlin.sources.jax._names import named_arrays
from kronlin.sources.jax._parts import Part, Unsupported, parts_of
from kronlin.sources.jax._program import Program, program_of, run
from kronlin.sources.jax._uses import uses_of

Model = Callable[[Tree, Tree], Array]
"""(parameters, inputs of n examples) to outputs (n, ...)."""

Pair = tuple[Array, Array]
"""Inputs and output gradients of a layer."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What a model does with one example.

    Reading the program of one example, not of the batch, leaves no question which axis counts the examples: none
    does. `jax.vmap` puts that axis back.
    """

    program: Program
    shapes: dict[str, Shape]
    """Those of the parameters, by name."""
    parts: tuple[Part, ...]

    def differentiate(self, parameters: Sequence[Array], x: Tree, columns: Array) -> tuple[Array, tuple[Pair, ...]]:
        """The outputs f of one example, and for each layer inputs (S, d_in) and output gradients (S, K, d_out).

        `columns` (K, *f.shape) are carried back, all at once. What the layers see does not depend on them.
        """
        jax, equations = import_jax(), self.program.jaxpr.eqns
        xp, names = jax.numpy, list(self.shapes)
        products = {product.place: product for part in self.parts for product in part.products}
        results = {place: equations[place].outvars[0].aval for place in products}
        alone = {part.kernel: parameters[names.index(part.kernel)] for part in self.parts if not part.products}
        rest = jax.tree_util.tree_leaves(x)

        def shifted(shifts: dict[int, Array], alone: dict[str, Array]) -> tuple[Array, dict[int, Array]]:
            """The outputs when the results of all products are shifted; and what the products acted on."""
            seen: dict[int, Array] = {}

            def change(place: int, operands: Sequence[Array], result: Array) -> Array:
                if place not in products:
                    return result
                seen[place] = operands[1 - products[place].operand]
                return result + shifts[place]

            weights = [alone.get(name, array) for name, array in zip(names, parameters, strict=True)]
            return run(self.program, [*weights, *rest], change)[0], seen

        zeros = {place: xp.zeros(aval.shape, aval.dtype) for place, aval in results.items()}
        f, pullback, seen = jax.vjp(shifted, zeros, alone, has_aux=True)
        at_products, at_alone = jax.vmap(pullback)(columns.astype(f.dtype))
        dtype = parameters[0].dtype
        pairs: list[Pair] = []
        for part in self.parts:
            if not part.products:
                pairs.append((xp.ones((1, 1), dtype), at_alone[part.kernel].reshape(1, len(columns), -1)))
                continue
            a = xp.concatenate([product.inputs(seen[product.place]) for product in part.products]).astype(dtype)
            g = xp.concatenate(
                [jax.vmap(product.output_gradients)(at_products[product.place]) for product in part.products], axis=1
            ).astype(dtype)
            pairs.extend(_grouped(part, a, g))
        return f, tuple(pairs)


def trace(model: Model, parameters: Tree, x: Tree, unsupported: Unsupported) -> Trace:
    """Trace the model on one example of x and read what it does with its parameters; no entry is computed."""
    jax = import_jax()
    named = named_arrays(parameters)
    shapes = {name: tuple(array.shape) for name, array in named.items()}
    structure = jax.tree_util.tree_structure(parameters)

    def single(leaves: Sequence[Array], x: Tree) -> Array:
        one = jax.tree_util.tree_map(lambda array: array[None], x)
        f = model(jax.tree_util.tree_unflatten(structure, leaves), one)
        if not hasattr(f, "shape") or f.ndim < 1 or f.shape[0] != 1:
            got = f"one of shape {tuple(f.shape)}" if hasattr(f, "shape") else type(f).__name__
            raise ValueError(f"the model must return one array (n, ...), examples first; for n = 1 it returns {got}")
        return f[0]

    example = jax.tree_util.tree_map(lambda array: jax.ShapeDtypeStruct(array.shape[1:], array.dtype), x)
    arrays = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in named.values()]
    program = program_of(single, arrays, example)
    uses: Any = dict(zip(named, uses_of(program, len(named)), strict=True))
    return Trace(program, shapes, parts_of(uses, shapes, unsupported))


def _grouped(part: Part, a: Array, g: Array) -> list[Pair]:
    """Inputs a (S, fan_in) and columns g (K, S, d_out) of a kernel, group by group, with the ones for a bias."""
    xp, groups = import_jax().numpy, part.products[0].groups
    ones = xp.ones((len(a), part.bias is not None), a.dtype)
    parts = zip(xp.split(a, groups, axis=-1), xp.split(g.swapaxes(0, 1), groups, axis=-1), strict=True)
    return [(xp.concatenate([block, ones], axis=-1), columns) for block, columns in parts]
