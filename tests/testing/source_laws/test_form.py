"""What is said of a result that has not the form of one."""

import pytest

from kronlin.testing._case import BrokenLaw
from kronlin.testing.source_laws import _form
from tests.testing.source_laws.trials import faulty, trial


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("last batch left out", "the layers have 2 examples, x has 3"),
        ("last layer missing", "the layers have 8 parameters, the vector of them has 14"),
        ("gradient without the last bias", r"the gradient has shape \(13,\), where \(14,\) is expected"),
        ("empirical columns of terms", "the empirical Fisher matrix has K = 2 columns, not one"),
        ("loss as an array", "where a finite float is expected"),
    ],
)
def test_form(title, message):
    with pytest.raises((BrokenLaw, ValueError), match=message):
        _form.form(faulty(title))


def test_an_error_of_another_type_is_no_refusal():
    def indexed(*arguments, fisher, **options):
        return trial().collect(*arguments, fisher={"type-2": "type-2"}[fisher], **options)

    with pytest.raises(KeyError):
        _form.refusal(trial(indexed))
    with pytest.raises(BrokenLaw, match="fisher='no such columns' is taken"):
        _form.refusal(faulty("anything else is of type 2"))


@pytest.mark.parametrize(
    ("title", "message"),
    [("inputs scaled in place", r"x after type-2\[0, 0\]"), ("model moves on", "the output of the model after type-2")],
)
def test_what_was_touched_is_named(title, message):
    with pytest.raises(BrokenLaw, match=message):
        _form.untouched(faulty(title))


def test_what_is_not_repeated_is_named():
    with pytest.raises(BrokenLaw, match="output_gradients, again, for type-2"):
        _form.repeatability(faulty("dropout left on"))


def test_the_example_is_named():
    with pytest.raises(BrokenLaw, match=r"of example 0 alone, for type-2"):
        _form.single_examples(faulty("type 2 divided by the root of n"))


def test_without_the_loss_labels_are_not_exchanged():
    _form.independence_of_the_labels(faulty("given labels for the sampled ones", head=False))
    _form.independence_of_the_labels(trial())
