"""Open functions over the types of one or two operators: the most specific rule first, and a rule may decline."""

from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

_ALL: list["Rule"] = []


class Case(NamedTuple):
    """One rule: the operator types it is for, its function, and its rank among rules without an order."""

    types: tuple[type, ...]
    function: Callable[..., Any]
    level: int

    def fits(self, types: tuple[type, ...]) -> bool:
        """Tell whether operators of these types may be handed to the rule."""
        return all(issubclass(given, wanted) for given, wanted in zip(types, self.types, strict=True))

    def beats(self, other: "Case") -> bool:
        """Tell whether this rule is strictly more specific."""
        return self.types != other.types and other.fits(self.types)


class Rule:
    """A function that chooses its rule by operator types.

    Rules are tried from the most specific to the most general; one that does not fit the sizes or properties
    at hand returns NotImplemented, and the next is tried. `level` orders rules of which neither is more
    specific, such as (Identity, Operator) and (Operator, Product): the higher level first.

    >>> halve = Rule("halve", 1, "half of it")
    >>> @halve.register(int)
    ... def halve_even_integer(n):
    ...     return n // 2 if n % 2 == 0 else NotImplemented
    >>> @halve.register(object)
    ... def halve_anything(x):
    ...     return x / 2
    >>> halve(4), halve(3)
    (2, 1.5)
    """

    def __init__(self, name: str, arity: int, meaning: str) -> None:
        self.__name__ = name
        self.__doc__ = meaning
        self.arity = arity
        self.cases: list[Case] = []
        self._order: dict[tuple[type, ...], list[Case]] = {}
        _ALL.append(self)

    def register(self, *types: type, level: int = 0) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Make a function the rule for these types."""
        if len(types) != self.arity:
            raise TypeError(f"a rule of {self.__name__} is for {self.arity} operator types, not {len(types)}")

        def add(function: Callable[..., Any]) -> Callable[..., Any]:
            self.cases.append(Case(types, function, level))
            self._order.clear()
            return function

        return add

    def __call__(self, *arguments: Any) -> Any:
        types = tuple(map(type, arguments[: self.arity]))
        for case in self._candidates(types):
            result = case.function(*arguments)
            if result is not NotImplemented:
                return result
        names = " and ".join(given.__name__ for given in types)
        raise NotImplementedError(
            f"no rule of {self.__name__} ({self.__doc__}) takes {names}: register one, "
            "or use A.to_dense() where the operator is small"
        )

    def has_own(self, *types: type) -> bool:
        """Tell whether a rule more specific than the general one exists for these types."""
        candidates = self._candidates(types)
        return bool(candidates) and any(wanted.__name__ != "Operator" for wanted in candidates[0].types)

    def _candidates(self, types: tuple[type, ...]) -> list[Case]:
        """The fitting rules in the order in which they are tried, remembered by types."""
        if types not in self._order:
            waiting = [case for case in self.cases if case.fits(types)]
            ordered = []
            while waiting:
                front = [case for case in waiting if not any(other.beats(case) for other in waiting)]
                ordered.append(max(front, key=lambda case: case.level))
                waiting.remove(ordered[-1])
            self._order[types] = ordered
        return self._order[types]

    def ambiguities(self) -> list[str]:
        """Name the pairs of rules that match the same operators although nothing orders them."""
        known = {case.types for case in self.cases}
        found = []
        for one, two in combinations(self.cases, 2):
            meet = tuple(_meet(a, b) for a, b in zip(one.types, two.types, strict=True))
            ordered = one.beats(two) or two.beats(one) or one.level != two.level
            settled = one.types != two.types and meet in known
            if None not in meet and not ordered and not settled:
                found.append(f"{self.__name__}: {one.function.__name__} and {two.function.__name__}")
        return found


def _meet(a: type, b: type) -> type | None:
    """The more specific of two types in one line of descent, or None."""
    if issubclass(a, b):
        return a
    return b if issubclass(b, a) else None


def all_rules() -> list[Rule]:
    """List every rule that has been made."""
    return list(_ALL)
