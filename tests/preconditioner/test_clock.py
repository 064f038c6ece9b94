"""Laws of the clock: what is due, and that nothing is made from older things than it should be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.preconditioner.clock import STAGES, Clock

NUMBERS = st.integers(1, 6)


def run(clock, steps, two_level=True, fails=()):
    """What is made at each step, where the steps in `fails` make nothing."""
    made, history = {}, []
    for step in range(1, steps + 1):
        due = clock.due(step, made, two_level)
        if step not in fails:
            made = {**made, **dict.fromkeys(due, step)}
        history.append((due, dict(made)))
    return history


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.sets(st.integers(1, 30)))
def test_nothing_disagrees(a, b, c, d, fails):
    clock = Clock(a, b, c, d)
    for step, (due, made) in enumerate(run(clock, 30, fails=fails), start=1):
        assert list(due) == [stage for stage in STAGES if stage in due]
        if step in fails:
            continue
        if "inverses" in due:
            assert made["factors"] == step
        if "basis" in due:
            assert made["inverses"] == made["coarse"] == step
        assert made["coarse"] >= made["basis"]
        assert made["factors"] >= made["inverses"] >= made["basis"]
        for stage, every in zip(STAGES, (a, b, c, d), strict=True):
            assert step - made[stage] < every


@given(NUMBERS, st.integers(1, 4))
def test_multiples(every, factor):
    history = run(Clock(every, every * factor), 24, two_level=False)
    for step, (due, _) in enumerate(history, start=1):
        assert ("factors" in due) == ((step - 1) % every == 0)
        assert ("inverses" in due) == ((step - 1) % (every * factor) == 0)
        assert not {"basis", "coarse"} & set(due)


def test_a_coarse_matrix_may_be_newer_than_its_basis():
    history = [due for due, _ in run(Clock(1, 4, 4, 2), 5)]
    assert history == [STAGES, ("factors",), ("factors", "coarse"), ("factors",), STAGES]


def test_what_failed_stays_due():
    history = [due for due, _ in run(Clock(1, 3), 6, two_level=False, fails=(4,))]
    assert [("inverses" in due) for due in history] == [True, False, False, True, True, False]


def test_what_is_not_given_follows():
    assert Clock(3) == Clock(3, 3, 3, 3)
    assert Clock(1, 5) == Clock(1, 5, 5, 5)
    assert Clock(1, 5, coarse=2) == Clock(1, 5, 5, 2)


@pytest.mark.parametrize("value", [0, -1, 2.0, True])
@pytest.mark.parametrize("stage", STAGES)
def test_arguments_are_checked(stage, value):
    with pytest.raises(ValueError, match=f"{stage} must be a whole number of steps"):
        Clock(**{stage: value})
