"""A program computes what the function does, with no calls in it, and can be run with changes."""

import pytest

from kronlin.sources.jax._program import CALLS, program_of, run

jax = pytest.importorskip("jax")
jnp = jax.numpy


@jax.custom_jvp
def clipped(x):
    return jnp.clip(x, 0, 1)


@clipped.defjvp
def _clipped_jvp(primals, tangents):
    return clipped(*primals), 5 * tangents[0]


def function(x, y):
    inner = jax.jit(lambda x: jax.checkpoint(lambda x: jnp.sin(x) * jax.jit(jnp.cos)(y[0]))(x) + 2.0)
    return inner(x), {"a": clipped(x), "b": jax.lax.fori_loop(0, 3, lambda _, z: z * z, y[1])}


ARGS = (jnp.asarray([0.3, 0.6]), [jnp.asarray(0.2), jnp.asarray(1.5)])


def test_it_computes_the_same_without_calls():
    program = program_of(function, *ARGS)
    names = {equation.primitive.name for equation in program.jaxpr.eqns}
    assert not names & CALLS
    assert {"sin", "cos", "custom_jvp_call"} <= names
    found = run(program, jax.tree_util.tree_leaves(ARGS))
    for one, other in zip(found, jax.tree_util.tree_leaves(function(*ARGS)), strict=True):
        assert jnp.allclose(one, other, rtol=1e-6)


def test_shapes_are_enough():
    shapes = jax.tree_util.tree_map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), ARGS)
    flat = jax.tree_util.tree_leaves(ARGS)
    for one, other in zip(
        run(program_of(function, *shapes), flat), run(program_of(function, *ARGS), flat), strict=True
    ):
        assert jnp.array_equal(one, other)


def test_rules_of_differentiation_stay():
    program = program_of(clipped, ARGS[0])
    _, change = jax.jvp(lambda x: run(program, [x])[0], ARGS[:1], (jnp.ones(2),))
    assert change.tolist() == [5, 5]


def test_a_change_goes_on():
    program = program_of(lambda x: jnp.exp(jnp.sin(x)), ARGS[0])
    seen = []

    def change(place, operands, result):
        seen.append((place, operands[0], result))
        return result + 1 if place == 0 else result

    (found,) = run(program, ARGS[:1], change)
    assert jnp.allclose(found, jnp.exp(jnp.sin(ARGS[0]) + 1))
    assert [place for place, _, _ in seen] == [0, 1]
    assert jnp.allclose(seen[1][1], jnp.sin(ARGS[0]) + 1)


def test_an_input_that_is_an_output_and_a_constant():
    program = program_of(lambda x: (x, 3.0), ARGS[0])
    assert run(program, ARGS[:1])[0] is ARGS[0]
    assert float(run(program, ARGS[:1])[1]) == 3
