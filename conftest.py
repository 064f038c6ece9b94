"""What pytest collects: the examples of a gradient source run where its library is installed."""

from importlib.util import find_spec

LIBRARIES = {"jax": "jax", "pytorch": "torch"}

collect_ignore = [f"kronlin/sources/{source}" for source, library in LIBRARIES.items() if not find_spec(library)]
