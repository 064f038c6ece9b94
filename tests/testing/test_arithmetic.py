"""The laws of _arithmetic.py hold for sound operators, and one of them breaks for a planted fault."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.testing import _arithmetic
from kronlin.testing._case import BrokenLaw, Case
from kronlin.testing._check import LAWS
from tests.matrices import normal, positive
from tests.testing.planted import FAULTS

OWN = [law for law in LAWS if law.__module__ == _arithmetic.__name__]


@pytest.mark.parametrize("law", OWN, ids=lambda law: law.__name__)
@pytest.mark.parametrize(
    "a", [positive(3), normal((3, 3), "complex128"), normal((2, 3), "float32")], ids=["pd", "general", "wide"]
)
def test_laws_hold_for_a_dense_operator(law, a):
    law(Case(kl.Dense(a), a, None))


def test_a_planted_fault_breaks_one_of_them():
    op, dense = FAULTS["damped twice"]
    broken = []
    for law in OWN:
        try:
            law(Case(op, op.array if dense is None else dense, None))
        except BrokenLaw:
            broken.append(law.__name__)
    assert broken


def test_damping_that_cancels_an_eigenvalue_is_no_broken_law():
    a = np.array([[0.6, -0.8], [-0.8, -0.6000000000000001]])
    op = kl.Spectral(a, np.array([-0.5, -0.5]))
    _arithmetic.damping(Case(op, op.to_dense(), 1e-9))
