"""Every array of a pytree has a name, the way to it: "params/dense/kernel"."""

from collections.abc import Mapping
from typing import Any

from kronlin.arrays import Array
from kronlin.sources.jax._jax import Tree, import_jax


def named_arrays(tree: Tree) -> dict[str, Array]:
    """The arrays of a tree by name, in the order of JAX, which sorts the keys of dictionaries.

    >>> import numpy as np
    >>> list(named_arrays({"dense": {"kernel": np.ones((3, 2)), "bias": np.ones(2)}, "scales": [np.ones(2)]}))
    ['dense/bias', 'dense/kernel', 'scales/0']
    """
    paths = import_jax().tree_util.tree_flatten_with_path(tree)[0]
    named = {"/".join(map(_key, path)): array for path, array in paths}
    if len(named) < len(paths):
        raise ValueError(f"two arrays of the tree have the same name among {', '.join(map(repr, named))}")
    return named


def rebuilt(tree: Tree, named: Mapping[str, Array]) -> Tree:
    """The tree with other arrays; what has no new one is kept."""
    arrays = [named.get(name, array) for name, array in named_arrays(tree).items()]
    return import_jax().tree_util.tree_unflatten(import_jax().tree_util.tree_structure(tree), arrays)


def _key(entry: Any) -> str:
    """One step of a path: the key of a mapping, the index in a sequence, or the name of an attribute."""
    for attribute in ("key", "idx", "name"):
        if hasattr(entry, attribute):
            return str(getattr(entry, attribute))
    return str(entry)
