"""A model and its parameters as one program for a single example, and what it uses the parameters for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from kronlin.arrays import Array
from kronlin.curvature.layerweight import Shape
from kronlin.sources._source import Unsupported
from kronlin.sources.jax._jax import Tree, import_jax
from kronlin.sources.jax._names import named_arrays
from kronlin.sources.jax._parts import Part, parts_of
from kronlin.sources.jax._program import Program, program_of, run
from kronlin.sources.jax._uses import uses_of

Function = Callable[[Tree, Tree], Array]
"""(parameters, inputs of n examples) to outputs (n, ...)."""

Model = tuple[Function, Tree]
"""A function with its parameters."""

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

    def differentiate(
        self, parameters: Sequence[Array], x: Tree, columns_of: Callable[[Array], Sequence[Array]]
    ) -> tuple[Array, tuple[tuple[Pair, ...], ...]]:
        """The outputs f of one example, and for each layer inputs (S, d_in) and output gradients (S, K, d_out).

        `columns_of(f)` are blocks of columns (K, *f.shape), all carried back at once; there are layers for each block.
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
        blocks = columns_of(f)
        ends = list(accumulate(map(len, blocks)))
        at_products, at_alone = jax.vmap(pullback)(xp.concatenate(blocks).astype(f.dtype))
        dtype = parameters[0].dtype
        layers: list[list[Pair]] = [[] for _ in blocks]

        def divided(columns: Array) -> Sequence[Array]:
            return xp.split(columns.astype(dtype), ends[:-1])

        for part in self.parts:
            if not part.products:
                for block, g in zip(layers, divided(at_alone[part.kernel]), strict=True):
                    block.append((xp.ones((1, 1), dtype), g.reshape(1, len(g), -1)))
                continue
            uses: list[list[Pair]] = [[] for _ in blocks]
            for product in part.products:
                a = product.inputs(seen[product.place]).astype(dtype)
                for use, columns in zip(uses, divided(at_products[product.place]), strict=True):
                    g = jax.vmap(product.output_gradients, out_axes=1)(columns)
                    use.append((a, g) if product.letters == part.order else _transposed(a, g))
            for block, use in zip(layers, uses, strict=True):
                block.extend(_grouped(part, *map(xp.concatenate, zip(*use, strict=True))))
        return f, tuple(map(tuple, layers))


def trace(function: Function, parameters: Tree, x: Tree, unsupported: Unsupported) -> Trace:
    """Trace the function on one example of x and read what it does with its parameters; no entry is computed."""
    jax = import_jax()
    named = named_arrays(parameters)
    shapes = {name: tuple(array.shape) for name, array in named.items()}
    structure = jax.tree_util.tree_structure(parameters)

    def single(leaves: Sequence[Array], x: Tree) -> Array:
        one = jax.tree_util.tree_map(lambda array: array[None], x)
        f = function(jax.tree_util.tree_unflatten(structure, leaves), one)
        if not hasattr(f, "shape") or f.ndim < 1 or f.shape[0] != 1:
            got = f"one of shape {tuple(f.shape)}" if hasattr(f, "shape") else type(f).__name__
            raise ValueError(f"the model must return one array (n, ...), examples first; for n = 1 it returns {got}")
        return f[0]

    example = jax.tree_util.tree_map(lambda array: jax.ShapeDtypeStruct(array.shape[1:], array.dtype), x)
    arrays = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in named.values()]
    program = program_of(single, arrays, example)
    uses: Any = dict(zip(named, uses_of(program, len(named)), strict=True))
    return Trace(program, shapes, parts_of(uses, shapes, unsupported))


def parted(model: Model) -> tuple[Function, Tree]:
    """The function and its parameters."""
    if not isinstance(model, tuple | list) or len(model) != 2 or not callable(model[0]):
        raise ValueError(
            f"the model must be a pair (function, parameters), with function(parameters, x) the outputs, not a "
            f"{type(model).__name__}: a pure function of JAX does not hold its parameters"
        )
    return model[0], model[1]


def _transposed(a: Array, g: Array) -> Pair:
    """The transposes of Σ_s g_sk a_sᵀ, from a (S, d_in) and g (S, K, d_out), as a product at K S positions (s, k').

    Σ_sk' (δ_kk' a_s) g_sk'ᵀ: what an embedding needs whose table is the weight of a layer too.
    """
    xp, (S, K, d_out) = import_jax().numpy, g.shape
    columns = xp.eye(K, dtype=a.dtype)[None, :, :, None] * a[:, None, None, :]
    return g.reshape(S * K, d_out), columns.reshape(S * K, K, -1)


def _grouped(part: Part, a: Array, g: Array) -> list[Pair]:
    """Inputs a (S, fan_in) and columns g (S, K, d_out) of a kernel, group by group, with the ones for a bias."""
    xp, groups = import_jax().numpy, part.products[0].groups
    ones = xp.ones((len(a), part.bias is not None), a.dtype)
    parts = zip(xp.split(a, groups, axis=-1), xp.split(g, groups, axis=-1), strict=True)
    return [(xp.concatenate([block, ones], axis=-1), columns) for block, columns in parts]
