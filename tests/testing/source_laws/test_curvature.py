"""The laws of the columns of type 2, each alone."""

import pytest

from kronlin.testing._case import BrokenLaw
from kronlin.testing.source_laws import _curvature
from tests.testing.source_laws.faults import SOUND
from tests.testing.source_laws.trials import faulty, trial

LAWS = (_curvature.adjoint, _curvature.outer_products, _curvature.jacobian_products, _curvature.enumeration)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("problem", SOUND)
def test_each_holds_alone(law, problem):
    law(trial(problem=problem))


@pytest.mark.parametrize("law", [_curvature.jacobian_products, _curvature.enumeration])
@pytest.mark.parametrize(
    "title", ["last column forgotten", "hessian of a loss without one half", "a column for all positions at once"]
)
def test_two_laws_see_a_wrong_root_and_name_the_directions(law, title):
    with pytest.raises(BrokenLaw, match=r"v · U_i U_iᵀ w for v a direction in layer 'linear0', w a direction in layer"):
        law(faulty(title))
    law(faulty(title, head=False))
