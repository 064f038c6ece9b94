"""What an operator is made of: parts (arrays and operators) and options (plain values).

Everything that only moves or copies an operator follows from its parts: casting, moving to a device, stacking
equal operators into one, taking them apart, counting bytes, drawing its structure.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Self
from weakref import ref

from kronlin.algebra.properties import UNKNOWN, Properties
from kronlin.arrays import Array, Kind, bytes_of, cast, common_kind, kind

Part = Any


class Structure:
    """Parts, options, shape, stack and kind of an operator."""

    parts: tuple[Part, ...]
    options: dict[str, Any]
    shape: tuple[int, int]
    batch: tuple[int, ...]
    kind: Kind
    _promised: Properties = UNKNOWN
    _stackable = True
    _homes: tuple[str, ...] = ()
    """Names of the only array libraries that can hold it; empty for all."""

    def _define(
        self,
        *parts: Part,
        shape: tuple[int, int],
        batch: tuple[int, ...] = (),
        **options: Any,
    ) -> None:
        """Say what the operator is made of; every constructor ends here.

        Args:
            parts: the arrays and operators that it holds, in the order in which `_setup` takes them.
            shape: (rows, columns).
            batch: () for one operator, (B,) for a stack of B equal ones.
            options: the plain values that `_setup` takes by name.
        """
        self.parts = parts
        self.options = options
        self.shape = shape
        self.batch = batch
        self.kind = part_kind(parts[0])
        self._cache: dict[str, Any] = {}

    def _setup(self, *parts: Part, **options: Any) -> None:
        """Build from parts that were checked before; override it where `__init__` checks its input."""
        type(self).__init__(self, *parts, **options)

    @classmethod
    def _make(cls, *parts: Part, **options: Any) -> Self:
        """Build without checks, for rules."""
        self = cls.__new__(cls)
        self._setup(*parts, **options)
        return self

    def _once(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what `make` made when first asked for, and keep it with the operator."""
        value = self._kept(key)
        if value is None:
            value = make()
            self._keep(key, value)
        return value

    def _keep(self, key: str, value: Any) -> None:
        """Keep a value; weakly if it is or holds this operator: no circle of references may keep arrays alive."""
        self._cache[key] = ref(value) if value is self or _holds(value, self) else value

    def _kept(self, key: str) -> Any:
        """Return what is kept under `key`, or None."""
        value = self._cache.get(key)
        return value() if isinstance(value, ref) else value

    def _twin(self, key: str, make: Callable[[], Any]) -> Any:
        """Like `_once` for an involution: the twin's twin is this operator again, as long as it lives."""
        value = self._kept(key)
        if value is None:
            value = make()
            self._pair(key, value)
        return value

    def _pair(self, key: str, other: Any) -> None:
        """Make two operators each other's twin, of which one at most keeps the other alive."""
        self._keep(key, other)
        if other._kept(key) is None:
            other._cache[key] = self if _holds(other, self) else ref(self)

    def _with(self, promise: Properties) -> Self:
        """Return the same operator with a promise added."""
        known = self._promised | promise
        if known == self._promised:
            return self
        twin = copy.copy(self)
        twin._promised = known
        twin._cache = {}
        return twin

    def _map(
        self, function: Callable[[Array], Array], memo: dict[Any, Any] | None = None, *, stacked: bool = False
    ) -> Self:
        """Rebuild with `function` applied to every array (`stacked`: of stacks); what occurs twice is mapped once."""
        if stacked and not self.batch:
            return self
        memo = {} if memo is None else memo
        if id(self) not in memo:
            parts = []
            for part in self.parts:
                if isinstance(part, Structure):
                    parts.append(part._map(function, memo, stacked=stacked))
                else:
                    if id(part) not in memo:
                        memo[id(part)] = function(part)
                    parts.append(memo[id(part)])
            twin = memo[id(self)] = self._make(*parts, **self.options)
            twin._promised = self._promised
            twin._pair_again(id(self._kept("H")), memo)
        twin = memo[id(self)]
        assert isinstance(twin, type(self))
        return twin

    def _pair_again(self, key: Any, memo: dict[Any, Any]) -> None:
        """Make the rebuilt operator the adjoint of what its adjoint was rebuilt to: a congruence stays one."""
        partner = memo.get(key)
        if isinstance(partner, Structure) and partner is not self:
            self._pair("H", partner)

    def _signature(self) -> Any:
        """What two operators must share to be stacked; None if this one cannot be."""
        if not self._stackable or self.batch:
            return None
        inner = [
            part._signature() if isinstance(part, Structure) else (tuple(part.shape), str(part.dtype))
            for part in self.parts
        ]
        if None in inner:
            return None
        options = tuple(sorted((name, repr(value)) for name, value in self.options.items()))
        return (type(self), tuple(inner), options, self._promised)

    def _own_arrays(self) -> Iterator[Array]:
        """Go through the arrays that it holds itself."""
        yield from (part for part in self.parts if not isinstance(part, Structure))

    def _arrays(self) -> Iterator[Array]:
        """Go through all arrays, those of the parts included; parts that occur twice are visited once."""
        waiting, met = [self], set()
        while waiting:
            each = waiting.pop()
            if id(each) not in met:
                met.add(id(each))
                yield from each._own_arrays()
                waiting.extend(part for part in reversed(each.parts) if isinstance(part, Structure))

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays that it holds, an array held twice counted once."""
        return sum({id(array): bytes_of(array) for array in self._arrays()}.values())

    @property
    def _summary(self) -> str:
        """The operator in a few words, as a larger one shows it inside its own `repr`."""
        rows, columns = self.shape
        return f"{type(self).__name__}({rows}×{columns})"

    @property
    def _note(self) -> str:
        """What a line of `tree` says beside class, shape and properties, in a word or two."""
        return self._kept("form") or ""

    @property
    def _inside(self) -> str:
        """What `repr` says after the colon."""
        return ", ".join(part._summary for part in self.parts if isinstance(part, Structure))


def _holds(whole: Any, part: Structure) -> bool:
    """Whether an operator is among the parts of another."""
    return isinstance(whole, Structure) and any(each is part for each in whole.parts)


def part_kind(part: Part) -> Kind:
    """Return the kind of an array or an operator."""
    return part.kind if isinstance(part, Structure) else kind(part)


def promote(what: str, *parts: Part) -> tuple[Part, ...]:
    """Bring parts to one kind: real ones become complex beside complex ones; all else is refused."""
    target = common_kind([part_kind(part) for part in parts], what)
    return tuple(
        part
        if part_kind(part) == target
        else part._map(lambda array: cast(array, target))
        if isinstance(part, Structure)
        else cast(part, target)
        for part in parts
    )


def no_determinant(a: Structure) -> tuple[Array, Array]:
    """The pair (0, -inf) of sign and logarithm for a singular operator, one for each of its stack."""
    return a.kind.zeros(*a.batch), a.kind.real.zeros(*a.batch) - float("inf")


def common_batch(*parts: Structure) -> tuple[int, ...]:
    """Return the stack that operators form together: that of any stacked one."""
    return max((part.batch for part in parts), key=len)


def stack(operators: list[Structure], memo: dict[Any, Any] | None = None) -> Any:
    """Make one operator with a leading axis from operators of equal signature; what occurs twice is stacked once."""
    first = operators[0]
    if len(operators) == 1:
        return first
    memo = {} if memo is None else memo
    key = tuple(map(id, operators))
    if key in memo:
        return memo[key]
    parts = []
    for members in zip(*(operator.parts for operator in operators), strict=True):
        if isinstance(members[0], Structure):
            parts.append(stack(list(members), memo))
        else:
            inner = tuple(map(id, members))
            if inner not in memo:
                memo[inner] = kind(members[0]).xp.stack(members)
            parts.append(memo[inner])
    whole = memo[key] = first._make(*parts, **first.options)
    whole._promised = first._promised
    whole._pair_again(tuple(id(operator._kept("H")) for operator in operators), memo)
    return whole


def unstack(operator: Structure, index: int) -> Any:
    """Return one member of a stack, a view where the library has views; what is not stacked serves all members."""
    return operator._map(lambda array: array[index, ...], stacked=True)
