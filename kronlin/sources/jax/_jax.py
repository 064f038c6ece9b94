"""The door to JAX, which is opened when a function here is called and never by an import of kronlin."""

from typing import Any

from kronlin.arrays import optional_import

Tree = Any
"""Arrays in dictionaries, lists, tuples and other containers that JAX knows, such as a model's parameters."""


def import_jax() -> Any:
    """JAX itself, or an error that says what to install."""
    return optional_import("jax", extra="jax")
