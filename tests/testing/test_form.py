"""The laws of _form.py hold for sound operators, and one of them breaks for a planted fault."""

import pytest

import kronlin as kl
from kronlin.testing import _form
from kronlin.testing._case import BrokenLaw, Case
from kronlin.testing._check import LAWS
from tests.matrices import normal, positive
from tests.testing.planted import FAULTS

OWN = [law for law in LAWS if law.__module__ == _form.__name__]


@pytest.mark.parametrize("law", OWN, ids=lambda law: law.__name__)
@pytest.mark.parametrize(
    "a", [positive(3), normal((3, 3), "complex128"), normal((2, 3), "float32")], ids=["pd", "general", "wide"]
)
def test_laws_hold_for_a_dense_operator(law, a):
    law(Case(kl.Dense(a), a, None))


def test_a_planted_fault_breaks_one_of_them():
    op, dense = FAULTS["false promise"]
    broken = []
    for law in OWN:
        try:
            law(Case(op, op.array if dense is None else dense, None))
        except BrokenLaw:
            broken.append(law.__name__)
    assert broken
