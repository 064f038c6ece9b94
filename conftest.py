"""What pytest collects: the examples for an optional library run where it is installed."""

from importlib.util import find_spec

EXAMPLES = {
    "jax": ["kronlin/sources/jax", "kronlin/training/_precondition.py"],
    "torch": ["kronlin/sources/pytorch", "kronlin/training/optimizer.py"],
}

collect_ignore = [path for library, paths in EXAMPLES.items() if not find_spec(library) for path in paths]
