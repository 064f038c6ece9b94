"""A function of JAX as a straight program: one primitive operation after the other, which can be run with changes."""

from collections.abc import Callable, Sequence
from typing import Any

from kronlin.arrays import Array, optional_import
from kronlin.sources.jax._jax import import_jax

Program = Any
"""A `ClosedJaxpr`."""

Equation = Any
"""A `JaxprEqn`: a primitive with its operands `invars`, results `outvars` and `params`."""

Change = Callable[[int, Sequence[Array], Array], Array]
"""(place, operands, result) to the result that goes on."""

CALLS = {"jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint"}
"""Primitives that do no more than to run a program of their own; the names differ between versions of JAX."""


def program_of(function: Callable[..., Any], *args: Any) -> Program:
    """Trace a function of arrays, or of their shapes and dtypes, and put the bodies of all calls in their place.

    Rules of differentiation that a function brings along stay with it: it remains one operation.
    """
    make = import_jax().make_jaxpr
    program = make(function)(*args)
    return make(lambda *flat: run(program, flat))(*import_jax().tree_util.tree_leaves(args))


def run(program: Program, args: Sequence[Array], change: Change | None = None) -> list[Array]:
    """The results of a program; `change` may replace that of any operation which has only one."""
    values = dict(zip(program.jaxpr.constvars, program.consts, strict=True))
    values |= dict(zip(program.jaxpr.invars, args, strict=True))

    def read(v: Any) -> Array:
        return v.val if is_literal(v) else values[v]

    for place, equation in enumerate(program.jaxpr.eqns):
        operands = [read(v) for v in equation.invars]
        if equation.primitive.name in CALLS:
            results = run(_body(equation), operands)
        else:
            result = _bind(equation, operands)
            if equation.primitive.multiple_results:
                results = result
            else:
                results = [result if change is None else change(place, operands, result)]
        values |= dict(zip(equation.outvars, results, strict=True))
    return [read(v) for v in program.jaxpr.outvars]


def is_literal(v: Any) -> bool:
    """Whether an operand is a number written into the program, not a variable."""
    return hasattr(v, "val")


def _bind(equation: Equation, operands: Sequence[Array]) -> Any:
    """Run a single operation."""
    found = equation.primitive.get_bind_params(equation.params)
    functions, params = found if isinstance(found, tuple) else ((), found)  # a pair in older versions of JAX
    with equation.ctx.manager:
        return equation.primitive.bind(*functions, *operands, **params)


def _body(equation: Equation) -> Program:
    """The program of a call."""
    body = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
    return body if hasattr(body, "consts") else optional_import("jax.extend.core", extra="jax").ClosedJaxpr(body, ())
