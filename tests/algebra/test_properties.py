"""Properties: closed under implication, joined without contradiction, derived upward only."""

from itertools import product

import pytest

from kronlin.algebra.properties import NOTHING, PD, PSD, SELF_ADJOINT, UNKNOWN, Properties, every, of_power, properties

ANSWERS = (True, False, None)
ALL = list(product(ANSWERS, repeat=3))
CONSISTENT = sorted({properties(*answers) for answers in ALL if not (answers[2] and answers[1] is False)}, key=str)


def is_closed(known):
    """pd ⇒ psd ⇒ self-adjoint, read in both directions."""
    chain = [known.pd, known.psd, known.self_adjoint]
    return all(
        (stronger is not True or weaker is True) and (weaker is not False or stronger is False)
        for stronger, weaker in zip(chain, chain[1:], strict=False)
    )


@pytest.mark.parametrize("answers", ALL)
def test_three_answers_are_closed_under_implication(answers):
    assert is_closed(properties(*answers))


def test_the_named_ones():
    assert UNKNOWN == (None, None, None)
    assert NOTHING == properties(self_adjoint=False) == (False, False, False)
    assert SELF_ADJOINT == (True, None, None)
    assert PSD == (True, True, None)
    assert PD == (True, True, True)
    assert properties(psd=False) == (None, False, False)
    assert [known.word for known in (UNKNOWN, NOTHING, SELF_ADJOINT, PSD, PD)] == ["", "", "self-adjoint", "psd", "pd"]


@pytest.mark.parametrize("one", CONSISTENT)
@pytest.mark.parametrize("two", CONSISTENT)
def test_joining(one, two):
    contradiction = any(None not in pair and pair[0] != pair[1] for pair in zip(one, two, strict=True))
    if contradiction:
        with pytest.raises(ValueError, match=r"the operator is known (not )?to be (self-adjoint|psd|pd)"):
            one | two
        return
    joined = one | two
    assert isinstance(joined, Properties)
    assert joined == two | one
    assert is_closed(joined)
    for source in (one, two):
        assert all(told is None or told == kept for told, kept in zip(source, joined, strict=True))
    assert joined == properties(*(a if a is not None else b for a, b in zip(one, two, strict=True)))


def test_joining_nothing_new_changes_nothing():
    for known in CONSISTENT:
        assert known | UNKNOWN == UNKNOWN | known == known | known == known


def test_the_error_says_which_is_known():
    with pytest.raises(ValueError, match="known not to be psd"):
        properties(psd=False) | PSD
    with pytest.raises(ValueError, match="known to be pd"):
        PD | properties(True, True, False)


@pytest.mark.parametrize(
    ("answers", "told"),
    [([True, True], True), ([True, None], None), ([True, False], None), ([False, False], None), ([], True)],
)
def test_every_never_concludes_a_lack(answers, told):
    assert every(answers) is told


def test_a_promise_is_what_holds():
    assert properties(True, psd=False).promise == properties(self_adjoint=True)
    assert PD.promise == PD
    assert UNKNOWN.promise == properties(False).promise == UNKNOWN


EXAMPLES = [(2.0, 1.0), (2.0, 0.0), (2.0, -1.0), (-2.0, -1.0), (0.0, -1.0)]
"""Eigenvalues of a pd, a psd, an indefinite, a negative and a singular operator."""


@pytest.mark.parametrize("p", [0, 2, 3, -2, -3, 0.5, -0.5])
@pytest.mark.parametrize("told", [SELF_ADJOINT, PSD, PD, properties(True, False, False), properties(True, True, False)])
def test_a_power_inherits_what_holds_for_every_operator_of_which_that_is_known(told, p):
    found = of_power(told, p)
    for w in EXAMPLES:
        truth = Properties(True, min(w) >= 0, min(w) > 0)
        if any(a is not None and a != b for a, b in zip(told, truth, strict=True)) or (p < 0 and 0.0 in w):
            continue
        if p != int(p) and min(w) < 0:
            continue
        lowest = min(x**p for x in w)
        due = Properties(True, lowest >= 0, lowest > 0)
        assert all(a is None or a == b for a, b in zip(found, due, strict=True))


def test_a_power_of_what_is_unknown_is_unknown_and_an_even_one_is_psd():
    assert of_power(UNKNOWN, 2) == of_power(NOTHING, 2) == UNKNOWN
    assert of_power(SELF_ADJOINT, 2) == PSD
    assert of_power(PD, -0.5) == of_power(SELF_ADJOINT, 0) == PD
