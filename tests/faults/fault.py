"""A planted fault: an operator, what is broken for a while, and the law that must notice."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import numpy as np

from kronlin.algebra import Operator
from kronlin.algebra.dispatch import Case, Rule
from kronlin.testing import check_operator

Twin = tuple[Operator, np.ndarray]
Wrong = Callable[..., Any]


class Fault(NamedTuple):
    """One mistake in one place.

    `make` builds an operator and its matrix; inside `plant()` the mistake is there, outside all is sound.
    """

    title: str
    law: str
    make: Callable[[], Twin]
    plant: Callable[[], AbstractContextManager]

    def message(self) -> str | None:
        """What check_operator says while the fault is planted; None if it passes."""
        with self.plant():
            op, dense = self.make()
            try:
                check_operator(op, dense)
            except AssertionError as broken:
                return str(broken)
        return None

    def caught_by(self) -> str | None:
        """The law that speaks up; None if none does."""
        message = self.message()
        found = None if message is None else re.match(r"the law of (.+?) is broken", message)
        return found and found.group(1)


def planted(faults: list[Fault], law: str, make: Callable[[], Twin]) -> Callable[[Callable], Callable]:
    """Add a function that returns the context in which the fault is there; its name is the title."""

    def add(plant: Callable[[], AbstractContextManager]) -> Callable:
        faults.append(Fault(plant.__name__.replace("_", " "), law, make, plant))
        return plant

    return add


@contextmanager
def method(owner: Any, name: str, wrong: Wrong) -> Iterator[None]:
    """Replace a method of a class, or a function of a module, by `wrong(original, *arguments)`."""
    mine = vars(owner).get(name)
    original = getattr(owner, name)
    setattr(owner, name, lambda *arguments, **options: wrong(original, *arguments, **options))
    try:
        yield
    finally:
        if mine is None:
            delattr(owner, name)
        else:
            setattr(owner, name, mine)


@contextmanager
def rule(rule: Rule, *types: type, wrong: Wrong) -> Iterator[None]:
    """Replace the rule for these types by `wrong(original, *arguments)`, or add one if there is none."""
    before = list(rule.cases)
    found = next((case for case in before if case.types == types), Case(types, None, 0))  # type: ignore[arg-type]
    spoiled = found._replace(function=lambda *arguments: wrong(found.function, *arguments))
    rule.cases[:] = [case for case in before if case is not found] + [spoiled]
    rule._order.clear()
    try:
        yield
    finally:
        rule.cases[:] = before
        rule._order.clear()
