"""Reductions and their errors; that their columns are carried by the adjoint is a law of all stages."""

import numpy as np
import pytest

from kronlin.sources._reduce import Reduce


@pytest.mark.parametrize(("axis", "subscripts"), [(0, "ncij->nij"), ((1, 2), "ncij->nc"), ((-1, 0), "ncij->ni")])
def test_value(axis, subscripts):
    h = np.random.default_rng(0).standard_normal((3, 2, 4, 5))
    total = np.einsum(subscripts, h)
    np.testing.assert_allclose(Reduce("sum", axis).value(h), total, rtol=1e-13)
    np.testing.assert_allclose(Reduce("mean", axis).value(h) * (h.size / total.size), total, rtol=1e-13)


def test_unknown_reduction():
    with pytest.raises(ValueError, match="unknown reduction 'max': choose one of 'mean', 'sum'"):
        Reduce("max", axis=0)


@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2), ()])
def test_axes_that_do_not_fit(axis):
    with pytest.raises(ValueError, match=r"shape \(4, 3\) here: axis = .* must name some of its axes, once"):
        Reduce("mean", axis).require((4, 3))
