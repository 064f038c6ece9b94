"""Selection: chosen entries of a vector."""

from collections.abc import Sequence
from operator import index
from typing import Any

from kronlin.algebra import Adjoint, Identity, Operator, Product, Properties, rules
from kronlin.algebra.identity import like_kind
from kronlin.algebra.properties import NOTHING, PD, properties
from kronlin.arrays import Array, Kind, SingularMatrixError, device, is_array, namespace, to_numpy
from kronlin.operators.dense import Dense, no_inverse
from kronlin.operators.diagonal import Diagonal
from kronlin.operators.origin import recall, remember
from kronlin.operators.segments import SegmentSums

_MASKS = ": for a mask pass the places where it is True"


class Selection(Operator):
    """The k×n matrix with (S x)[i] = x[indices[i]]; (Sᴴ y)[j] = Σ y[i] over the i with indices[i] = j.

    An index may occur more than once. Products move numbers and multiply none: k a column for S, k + n for Sᴴ.

    Args:
        indices: k integers from 0 to n - 1, a sequence or an integer array of any array library.
        n: the number of entries to choose from.
        like: an array or operator whose library, dtype and device the operator shares.
        dtype: the name of a dtype, instead of that of `like`, or for the library and device of an array of indices
            (NumPy for a sequence).

    Raises:
        TypeError: an index is no integer, or neither `like` nor `dtype` is given.
        ValueError: an index is outside 0, …, n - 1.

    >>> import numpy as np
    >>> S = Selection([2, 0, 2], 3, dtype="float64")
    >>> S @ np.array([1.0, 2.0, 3.0])
    array([3., 1., 3.])
    >>> S.H @ np.array([1.0, 5.0, 10.0])
    array([ 5.,  0., 11.])
    """

    def __init__(self, indices: Any, n: int, *, like: Any = None, dtype: str | None = None) -> None:
        chosen = checked_indices(indices, n, "Selection")
        self._setup(index_kind(indices, like, dtype, "Selection").zeros(0), indices=chosen, n=int(n))

    def _setup(self, empty: Array, *, indices: tuple[int, ...], n: int) -> None:
        self.indices = indices
        self._define(empty, shape=(len(indices), n), batch=tuple(empty.shape[:-1]), indices=indices, n=n)

    @property
    def is_injective(self) -> bool:
        """Whether no index occurs twice, so that S Sᴴ = I."""
        injective: bool = self._once("injective", lambda: len(set(self.indices)) == len(self.indices))
        return injective

    def _derive(self) -> Properties:
        if any(self.indices[j] != i for i, j in enumerate(self.indices)):
            return NOTHING
        return PD if self._is_identity() else properties(True, psd=False)

    def _is_identity(self) -> bool:
        return self.shape[0] == self.shape[1] and all(i == j for i, j in enumerate(self.indices))

    @property
    def _places(self) -> Array:
        """The indices as an array of the library, on the device."""
        return self._once("places", lambda: self.kind.indices(self.indices))

    def _counts(self) -> Array:
        """How often each of the n entries is chosen."""
        counts = [0.0] * self.shape[1]
        for j in self.indices:
            counts[j] += 1
        return self._constant(counts)

    def _constant(self, numbers: Any) -> Array:
        """An array of the operator's kind, repeated over the stack."""
        array = self.kind.asarray(numbers)
        return self.kind.xp.broadcast_to(array, (*self.batch, *array.shape))

    def _matmat(self, x: Array) -> Array:
        return self.kind.xp.take(x, self._places, axis=-2)

    def _rmatmat(self, y: Array) -> Array:
        return self._once("sums", lambda: SegmentSums(self.indices, self.shape[1], self.kind))(y)


def checked_indices(indices: Any, n: int, what: str) -> tuple[int, ...]:
    """Return the indices as Python integers, each of them one of 0, …, n - 1."""
    if is_array(indices):
        if indices.ndim != 1 or not namespace(indices).isdtype(indices.dtype, "integral"):
            raise TypeError(f"{what} takes integers (k,), not {indices.dtype} of shape {tuple(indices.shape)}{_MASKS}")
        indices = to_numpy(indices).tolist()
    if n < 0:
        raise ValueError(f"{what} of {n} entries: their number must not be negative")
    if any(isinstance(i, bool) for i in indices):
        raise TypeError(f"{what} takes integers, not True and False{_MASKS}")
    chosen = tuple(map(index, indices))
    outside = next((place for place, i in enumerate(chosen) if not 0 <= i < n), None)
    if outside is not None:
        raise ValueError(f"{what}: indices[{outside}] is {chosen[outside]}, where 0 to {n - 1} can be chosen")
    return chosen


def index_kind(indices: Any, like: Any, dtype: str | None, what: str) -> Kind:
    """Read the kind from `like` or `dtype`; a `dtype` alone goes with the library and device of an index array."""
    if like is None and dtype is not None and is_array(indices):
        xp = namespace(indices)
        like = xp.zeros(0, dtype=xp.float32, device=device(indices))
    return like_kind(like, dtype, what)


def _selection(a: Selection, indices: Sequence[int], n: int) -> Operator:
    """The selection of the same kind with other indices; I if it chooses everything in order."""
    made = Selection._make(a.parts[0], indices=tuple(indices), n=n)
    return Identity._make(a.parts[0], n=n) if made._is_identity() else made


@rules.compose.register(Selection, Selection)
def compose_selections(a: Selection, b: Selection) -> Operator:
    """Choose from what was chosen."""
    return _selection(a, [b.indices[i] for i in a.indices], b.shape[1])


@rules.compose.register(Selection, Adjoint)
def compose_selection_with_adjoint(a: Selection, b: Adjoint) -> Operator:
    """S Rᴴ is the selection of places in R, where R chooses all that S does, and once; S Sᴴ = I."""
    if not isinstance(b.base, Selection) or not b.base.is_injective:
        return NotImplemented
    places = {j: i for i, j in enumerate(b.base.indices)}
    if not all(j in places for j in a.indices):
        return NotImplemented
    return _selection(a, [places[j] for j in a.indices], b.shape[1])


@rules.compose.register(Adjoint, Selection)
def compose_own_adjoint_with_selection(a: Adjoint, b: Selection) -> Operator:
    """Sᴴ S = diag(how often each entry is chosen)."""
    return Diagonal._make(b._counts()) if a.base is b else NotImplemented


@rules.compose.register(Selection, Dense)
def compose_selection_dense(a: Selection, b: Dense) -> Operator:
    """Take rows, unless there are more than before."""
    if a.shape[0] > a.shape[1]:
        return NotImplemented
    rows = Dense._make(a._matmat(b.array))
    known = b._promised
    return remember(rows, a, properties(known.self_adjoint, known.psd, known.pd if a.is_injective else None))


@rules.compose.register(Dense, Adjoint)
def compose_dense_with_selection(a: Dense, b: Adjoint) -> Operator:
    """A Sᴴ takes columns, unless there are more than before; S A Sᴴ is as definite as A."""
    if not isinstance(b.base, Selection) or b.shape[0] < b.shape[1]:
        return NotImplemented
    return Dense._make(a.kind.xp.take(a.array, b.base._places, axis=-1))._with(recall(a, b))


@rules.compose.register(Selection, Diagonal)
def compose_selection_diagonal(a: Selection, b: Diagonal) -> Operator:
    """S diag(d) = diag(S d) S, where no index occurs twice: fewer products, and S diag(d) Sᴴ = diag(S d)."""
    return Product(_chosen_entries(a, b), a) if a.is_injective else NotImplemented


@rules.compose.register(Diagonal, Adjoint)
def compose_diagonal_with_selection(a: Diagonal, b: Adjoint) -> Operator:
    """diag(d) Sᴴ = Sᴴ diag(S d), where no index occurs twice."""
    if not isinstance(b.base, Selection) or not b.base.is_injective:
        return NotImplemented
    return Product(b, _chosen_entries(b.base, a))


def _chosen_entries(a: Selection, b: Diagonal) -> Diagonal:
    """diag(S d)."""
    return Diagonal._make(a.kind.xp.take(b.entries, a._places, axis=-1))


@rules.conjugate.register(Selection)
@rules.modulus2.register(Selection)
def same_selection(a: Selection) -> Operator:
    """Zeros and ones are their own conjugates and squares."""
    return a


@rules.inverse.register(Selection)
def inverse_of_selection(a: Selection) -> Operator:
    """S⁻¹ = Sᴴ if every entry is chosen once."""
    if not a.is_injective:
        missing = min(set(range(a.shape[1])) - set(a.indices))
        raise SingularMatrixError(no_inverse(a, f"entry {missing} is never chosen"))
    return a.H


@rules.pinv.register(Selection)
def pinv_of_selection(a: Selection) -> Operator:
    """S⁺ = (Sᴴ S)⁺ Sᴴ: Sᴴ if no index occurs twice, else the mean of what comes from one entry."""
    if a.is_injective:
        return a.H
    return Product(Diagonal._make(a._counts()).pinv(), a.H)


@rules.columns.register(Selection)
def columns_of_selection(a: Selection, chosen: list[int]) -> Operator:
    """Column j is 1 where j is chosen."""
    return Dense._make(a._constant(_indicators(a, a.kind.indices(chosen))))


@rules.to_dense.register(Selection)
def selection_to_dense(a: Selection) -> Array:
    """A 1 a row."""
    return a._constant(_indicators(a, a.kind.indices(range(a.shape[1]))))


def _indicators(a: Selection, columns: Array) -> Array:
    """The entries of S in some columns."""
    xp = a.kind.xp
    return xp.astype(a._places[:, None] == columns[None, :], a.dtype)


@rules.diagonal.register(Selection)
def diagonal_of_selection(a: Selection) -> Array:
    """1 where an entry stays in its place."""
    return a._constant([float(i == j) for i, j in enumerate(a.indices)])


@rules.trace.register(Selection)
def trace_of_selection(a: Selection) -> Array:
    """How many entries stay in their place."""
    return a._constant(float(sum(i == j for i, j in enumerate(a.indices))))


@rules.norm.register(Selection)
def norm_of_selection(a: Selection) -> Array:
    """‖S‖ = √k."""
    return a.kind.real.zeros(*a.batch) + len(a.indices) ** 0.5


@rules.slogdet.register(Selection)
def slogdet_of_selection(a: Selection) -> tuple[Array, Array]:
    """det S is the sign of the permutation, 0 if an index occurs twice."""
    sign = _sign(a.indices) if a.is_injective else 0.0
    return a._constant(sign), a.kind.real.zeros(*a.batch) + (0.0 if sign else -float("inf"))


def _sign(indices: Sequence[int]) -> float:
    """The sign of a permutation: (-1)^(n - number of cycles)."""
    cycles, seen = 0, [False] * len(indices)
    for start in range(len(indices)):
        cycles += not seen[start]
        place = start
        while not seen[place]:
            seen[place] = True
            place = indices[place]
    return -1.0 if (len(indices) - cycles) % 2 else 1.0
