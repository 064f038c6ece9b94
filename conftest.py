"""What pytest collects: the examples of a gradient source run where its library is installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["kronlin/sources/pytorch"]
