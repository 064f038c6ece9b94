"""Rules: the most specific first, a rule may decline, and what competes is found."""

import pytest

from kronlin.algebra import dispatch
from kronlin.algebra.dispatch import Rule, all_rules


class Animal: ...


class Bird(Animal): ...


class Owl(Bird): ...


class Fish(Animal): ...


@pytest.fixture(autouse=True)
def own_list(monkeypatch):
    """Rules that are made here do not join those of the algebra."""
    monkeypatch.setattr(dispatch, "_ALL", [])


def say(rule, name, *types, level=0, declines=False):
    """Register a rule that answers with its own name."""

    def answer(*_):
        return NotImplemented if declines else name

    answer.__name__ = name
    rule.register(*types, level=level)(answer)


@pytest.mark.parametrize("order", [(Animal, Bird, Owl), (Owl, Bird, Animal), (Bird, Owl, Animal)])
def test_the_most_specific_rule_is_taken_whatever_the_order_of_registration(order):
    sound = Rule("sound", 1, "what it says")
    for one in order:
        say(sound, one.__name__, one)
    assert [sound(one()) for one in (Owl, Bird, Animal, Fish)] == ["Owl", "Bird", "Animal", "Animal"]


def test_who_declines_leaves_it_to_the_next():
    sound = Rule("sound", 1, "what it says")
    say(sound, "any", Animal)
    say(sound, "bird", Bird, declines=True)
    say(sound, "owl", Owl, declines=True)
    assert sound(Owl()) == "any"


def test_rules_see_all_arguments_and_are_chosen_by_the_first_ones():
    add = Rule("add", 1, "the sum")

    @add.register(int)
    def add_to_number(a, b):
        return f"{a} + {b}"

    assert add(1, "b") == "1 + b"
    assert add_to_number(2, 3) == "2 + 3"


def test_two_types_decide_together():
    meet = Rule("meet", 2, "what happens")
    say(meet, "general", Animal, Animal)
    say(meet, "bird first", Bird, Animal)
    say(meet, "two owls", Owl, Owl)
    assert meet(Owl(), Owl()) == "two owls"
    assert meet(Owl(), Fish()) == "bird first"
    assert meet(Fish(), Owl()) == "general"


def test_the_level_orders_what_nothing_else_does():
    meet = Rule("meet", 2, "what happens")
    say(meet, "left", Bird, Animal, level=1)
    say(meet, "right", Animal, Bird, level=2)
    assert meet(Bird(), Bird()) == "right"
    assert meet(Bird(), Fish()) == "left"
    assert meet.ambiguities() == []


def test_a_more_specific_rule_goes_before_a_higher_level():
    sound = Rule("sound", 1, "what it says")
    say(sound, "any", Animal, level=9)
    say(sound, "owl", Owl, level=-9)
    assert sound(Owl()) == "owl"


def test_a_rule_that_comes_late_is_seen():
    sound = Rule("sound", 1, "what it says")
    say(sound, "any", Animal)
    assert sound(Owl()) == "any"
    say(sound, "owl", Owl)
    assert sound(Owl()) == "owl"


def test_where_nothing_fits_the_error_says_what_is_missing():
    meet = Rule("meet", 2, "A beside B")
    say(meet, "birds", Bird, Bird)
    with pytest.raises(NotImplementedError, match=r"no rule of meet \(A beside B\) takes Owl and Fish: register one"):
        meet(Owl(), Fish())


def test_where_all_decline_it_is_an_error_too():
    sound = Rule("sound", 1, "what it says")
    say(sound, "any", Animal, declines=True)
    with pytest.raises(NotImplementedError, match="takes Owl"):
        sound(Owl())


def test_none_and_false_are_answers():
    sound = Rule("sound", 1, "what it says")
    sound.register(Animal)(lambda _: "not reached")
    sound.register(Bird)(lambda _: False)
    sound.register(Owl)(lambda _: None)
    assert sound(Owl()) is None
    assert sound(Bird()) is False


def test_a_planted_ambiguity_is_named():
    meet = Rule("meet", 2, "what happens")
    say(meet, "left", Bird, Animal)
    say(meet, "right", Animal, Bird)
    assert meet.ambiguities() == ["meet: left and right"]
    say(meet, "both", Bird, Bird)
    assert meet.ambiguities() == []


def test_a_rule_for_the_meet_of_other_types_settles_nothing():
    meet = Rule("meet", 2, "what happens")
    say(meet, "left", Bird, Animal)
    say(meet, "right", Animal, Bird)
    say(meet, "owls", Owl, Owl)
    assert meet.ambiguities() == ["meet: left and right"]


def test_two_rules_for_the_same_types_compete():
    sound = Rule("sound", 1, "what it says")
    say(sound, "one", Bird)
    say(sound, "two", Bird)
    assert sound.ambiguities() == ["sound: one and two"]


def test_rules_for_strangers_do_not_compete():
    meet = Rule("meet", 2, "what happens")
    say(meet, "birds", Bird, Animal)
    say(meet, "fish", Fish, Animal)
    say(meet, "general", Animal, Animal)
    assert meet.ambiguities() == []


def test_the_number_of_types_is_checked():
    with pytest.raises(TypeError, match="a rule of meet is for 2 operator types, not 1"):
        Rule("meet", 2, "what happens").register(Bird)


def test_has_own_looks_for_more_than_the_general_rule():
    class Operator: ...

    class Special(Operator): ...

    rule = Rule("rule", 2, "it")
    assert not rule.has_own(Special, Special)
    say(rule, "general", Operator, Operator)
    assert not rule.has_own(Special, Special)
    say(rule, "special", Operator, Special)
    assert rule.has_own(Operator, Special)
    assert not rule.has_own(Special, Operator)


def test_every_rule_is_on_the_list():
    one = Rule("one", 1, "it")
    assert all_rules() == [one]
    all_rules().clear()
    assert all_rules() == [one]
