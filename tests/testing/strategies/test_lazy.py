"""Each branch of _lazy.py makes operators of the shape that was asked for, equal to their dense twins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.testing.strategies import shapes
from kronlin.testing.strategies._lazy import EXPRESSIONS
from tests.testing.strategies.drawn import COMPLEX, QUICK, REAL, check_branch, check_text

EACH = pytest.mark.parametrize("branch", EXPRESSIONS, ids=lambda branch: branch.make.__name__)


@EACH
@pytest.mark.parametrize("kind", [REAL, COMPLEX], ids=str)
@QUICK
@given(st.data(), shapes(4))
def test_each_obeys_the_laws(branch, kind, data, shape):
    check_branch(branch, kind, data, shape)


@EACH
def test_the_text_shows_what_was_made(branch):
    check_text(branch)
