"""Properties: closed under implication, joined without contradiction, derived upward only."""

from itertools import product

import pytest

from kronlin.algebra.properties import NOTHING, PD, PSD, SELF_ADJOINT, UNKNOWN, Properties, every, properties

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
