"""Hypothesis strategies: random operators with their dense twin. Imported by name only; it needs Hypothesis.

>>> import numpy as np
>>> from hypothesis import given
>>> @given(operators())
... def test_the_norm_of_an_operator_is_that_of_its_matrix(twin):
...     assert np.allclose(float(twin.op.norm()), np.linalg.norm(twin.dense), atol=1e-3)
"""

from kronlin.testing.strategies._kinds import kinds, libraries
from kronlin.testing.strategies._leaves import leaves
from kronlin.testing.strategies._nested import operators
from kronlin.testing.strategies._numbers import (
    arrays,
    bases,
    definite_arrays,
    dtypes,
    semidefinite_arrays,
    shapes,
    sizes,
)
from kronlin.testing.strategies.twin import Twin

__all__ = [
    "Twin",
    "arrays",
    "bases",
    "definite_arrays",
    "dtypes",
    "kinds",
    "leaves",
    "libraries",
    "operators",
    "semidefinite_arrays",
    "shapes",
    "sizes",
]
