"""The page "Approximations of the Fisher matrix": every expression in its table makes an operator for the net."""

import re

import pytest

import kronlin as kl
from tests.house.tree import ROOT
from tests.members import MEMBERS
from tests.nets import mlp_layers

PAGE = (ROOT / "docs" / "approximations.rst").read_text(encoding="utf-8")
TABLE = PAGE.partition("The methods\n")[2].partition("How far they are")[0]
EXPRESSIONS = re.findall(r"``(kl\.\w+\(.*?\))``", TABLE)
LAYERS, GRADIENT = mlp_layers()
NAMES = {
    "kl": kl,
    "layers": LAYERS,
    "lam": 0.1,
    "kernels": [2, 5, None],
    "interior": LAYERS,
    "boundary": mlp_layers(seed=1)[0],
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression_is_an_operator_that_can_be_damped_and_inverted(expression):
    K = eval(expression, NAMES)
    if isinstance(K, kl.KBFGS):
        K = K.inverse.inverse()
    assert K.shape == kl.fisher(LAYERS).shape
    M = (K if "lam" in expression else K.damped(0.1)).inverse()
    assert M.shape == K.shape
    assert kl.compare(kl.fisher(LAYERS).damped(0.1), {"M": M}, GRADIENT)["M"].converged


def test_every_member_is_told():
    told = " ".join(EXPRESSIONS)
    for build in MEMBERS.values():
        assert getattr(build, "__name__", "<lambda>") in ("<lambda>", *re.findall(r"kl\.(\w+)\(", told))


def test_the_page_is_reached():
    assert "\n   approximations\n" in (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
