"""ParameterLayout: the parameter vector of kronlin and the named arrays of a framework, one from the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from kronlin.algebra.identity import like_kind
from kronlin.arrays import Array, kind, namespace
from kronlin.curvature.layerweight import LayerWeight, Shape, listed
from kronlin.operators import Permutation, Selection

_OTHERS = ("refuse", "append", "omit")


class ParameterLayout:
    """Which entry of the parameter vector belongs to which entry of which named array.

    The vector has the layers in order, each as vec([W | b]), row by row; arrays are a mapping from names to arrays of
    one library, dtype and device. Torch stores a kernel as (out, in) or (out, in, rows, columns), Flax and Keras as
    (in, out) or (rows, columns, in, out). A square kernel fits both, so `order` is asked for and never guessed. In
    [W | b] the columns of a convolution are in the order (in, rows, columns) either way.

    Args:
        arrays: the arrays, or their shapes, by name; in the order in which the framework concatenates them, on which
            `operator` alone depends.
        layers: the layers in the order of the vector: the name of a kernel, or a pair of kernel and bias (or None).
        order: "out-in", "in-out", or a letter an axis such as "OIHW", "HWIO" or "IOHW" (O an output, I an input); or
            a mapping that has one of these for each kernel. The weight of an embedding is "in-out" in Torch too.
        others: what becomes of arrays that are in no layer: "refuse" is an error, "append" puts them after the layers,
            "omit" leaves them out of the vector. `layout.others` names them.

    Raises:
        ValueError: a name is missing or occurs twice, a shape or an `order` does not fit, or there are no layers.

    >>> import numpy as np
    >>> arrays = {"bias": np.array([7.0, 8.0]), "kernel": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])}
    >>> layout = ParameterLayout(arrays, [("kernel", "bias")], order="in-out")
    >>> layout
    ParameterLayout(2×4, 8 parameters)
    >>> x = layout.vector(arrays)
    >>> x
    array([1., 3., 5., 7., 2., 4., 6., 8.])
    >>> layout.arrays(x)["kernel"].tolist()
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    >>> P = layout.operator(like=x)
    >>> P.H @ x
    array([7., 8., 1., 2., 3., 4., 5., 6.])
    """

    def __init__(
        self,
        arrays: Mapping[str, Any],
        layers: Sequence[str | tuple[str, str | None]],
        *,
        order: str | Mapping[str, str],
        others: str = "refuse",
    ) -> None:
        if others not in _OTHERS:
            raise ValueError(f"unknown others {others!r}: choose one of {', '.join(map(repr, _OTHERS))}")
        self._shapes = {name: _shape(name, array) for name, array in arrays.items()}
        self.weights = tuple(LayerWeight.of(layer, self._shapes, order) for layer in layers)
        """Each layer as a `LayerWeight`."""
        used = Counter(name for weight in self.weights for name in weight.names)
        twice = [name for name, count in used.items() if count > 1]
        if twice or not used:
            cause = f"{listed(twice)} occur twice in the layers" if twice else "there are no layers"
            raise ValueError(f"{cause}: each array of a layer is named once; a shared weight is one layer")
        self.others = tuple(name for name in self._shapes if name not in used)
        """The names of the arrays in no layer."""
        if self.others and others == "refuse":
            raise ValueError(
                f"{listed(self.others)} belong to no layer: name them in layers, or pass others='append' to have them "
                "after the layers, others='omit' to leave them out of the vector"
            )
        self._appended = self.others if others == "append" else ()
        included = {*used, *self._appended}
        self.names = tuple(name for name in self._shapes if name in included)
        """The names of the arrays that make up the vector, in the order of the framework."""

    @property
    def size(self) -> int:
        """Length p of the parameter vector."""
        return sum(prod(self._shapes[name]) for name in self.names)

    def __repr__(self) -> str:
        sizes = ", ".join("×".join(map(str, weight.matrix_shape)) for weight in self.weights)
        others = f" and {len(self._appended)} others" if self._appended else ""
        return f"ParameterLayout({sizes}{others}, {self.size} parameters)"

    def vector(self, arrays: Mapping[str, Array]) -> Array:
        """The parameter vector (p,) of arrays by name; (p, k) from arrays with a last axis of length k more."""
        self._check_arrays(arrays)
        return self._concatenated(arrays)

    def arrays(self, vector: Array) -> dict[str, Array]:
        """The arrays by name in the order of the framework, each with a last axis of length k for vectors (p, k).

        What was omitted is not among them: `{**parameters, **layout.arrays(vector)}` keeps it. An array may be a view
        of the vector: do not write into it.
        """
        xp = kind(vector).xp
        if vector.ndim not in (1, 2) or vector.shape[0] != self.size:
            raise ValueError(f"{self!r} takes a vector ({self.size},) or ({self.size}, k), not {tuple(vector.shape)}")
        found: dict[str, Array] = {}
        start = 0
        for weight in self.weights:
            stop = start + prod(weight.matrix_shape)
            found |= weight.arrays(vector[start:stop, ...])
            start = stop
        for name in self._appended:
            stop = start + prod(self._shapes[name])
            found[name] = xp.reshape(vector[start:stop, ...], (*self._shapes[name], *vector.shape[1:]))
            start = stop
        return {name: found[name] for name in self.names}

    def operator(self, *, like: Any = None, dtype: str | None = None) -> Selection:
        """P with `layout.vector(arrays) = P @ flat`, `flat` all arrays concatenated, each flattened as it is stored.

        A `Permutation`, so that Pᴴ = P⁻¹ leads back and Pᴴ K P is K in the order of the framework. Where arrays are
        omitted it is a `Selection`: P Pᴴ = I, and Pᴴ x has zeros for them. It keeps p integers; `vector` and `arrays`
        move the numbers without.

        Args:
            like: an array or operator whose library, dtype and device the operator shares.
            dtype: the name of a dtype, for NumPy or instead of that of `like`.

        Raises:
            TypeError: neither `like` nor `dtype` is given.
        """
        own = like_kind(like, dtype, "ParameterLayout.operator")
        places, start = {}, 0
        for name, shape in self._shapes.items():
            places[name] = own.xp.reshape(own.xp.arange(start, start + prod(shape), device=own.device), shape)
            start += prod(shape)
        chosen, like = self._concatenated(places), own.zeros(0)
        return Permutation(chosen, like=like) if start == self.size else Selection(chosen, start, like=like)

    def _concatenated(self, arrays: Mapping[str, Array]) -> Array:
        """The parts of the vector, one after the other."""
        parts = [weight.vector(arrays) for weight in self.weights]
        xp = namespace(parts[0])
        for name in self._appended:
            shape = self._shapes[name]
            parts.append(xp.reshape(arrays[name], (prod(shape), *arrays[name].shape[len(shape) :])))
        return xp.concat(parts)

    def _check_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Check that all arrays are there, in their shapes, of one kind, for equally many vectors."""
        missing = [name for name in self.names if name not in arrays]
        unknown = [name for name in arrays if name not in self._shapes]
        if missing or unknown:
            cause = f"lack {listed(missing)}" if missing else f"have {listed(unknown)}, which the layout does not know"
            raise ValueError(f"the arrays {cause}: the names of the layout are {listed(self._shapes)}")
        first = self.names[0]
        own = kind(arrays[first])
        more = tuple(arrays[first].shape[len(self._shapes[first]) :])
        for name in self.names:
            if kind(arrays[name]) != own:
                raise ValueError(
                    f"array {name!r} is {kind(arrays[name])}, but {first!r} is {own}: bring all to one library, one "
                    "dtype and one device; none is chosen for you"
                )
            shape, wanted = tuple(arrays[name].shape), self._shapes[name]
            if shape != (*wanted, *more) or len(more) > 1:
                hint = " (it is transposed)" if shape == wanted[::-1] else ""
                raise ValueError(
                    f"array {name!r} has shape {shape}, where the layout has {wanted}{hint}: all arrays have the "
                    "shapes of the layout, or all of them one axis more, the last, that numbers vectors"
                )


def _shape(name: str, array: Any) -> Shape:
    """The shape of an array, or the shape itself."""
    shape = tuple(map(int, getattr(array, "shape", array)))
    if 0 in shape:
        raise ValueError(f"array {name!r} has shape {shape}, so it holds no parameters: leave it out")
    return shape
