"""What one layer hands over to the algebra: its inputs and its backpropagated output gradients."""

from dataclasses import dataclass

from kronlin.arrays import Array, all_finite, is_array, kind, namespace


@dataclass(frozen=True, eq=False, repr=False)
class LayerStatistics:
    """Inputs and output gradients of one layer, the only thing a gradient source has to deliver.

    With examples i, positions s (the places at which the layer's weight is used) and columns k, the layer's
    part of the root of the Fisher matrix has the columns `U[:, (i, k)] = vec(Σ_s g_isk a_isᵀ)`, and its
    diagonal block is `F_l = (1/n) U Uᴴ`.

    Args:
        inputs: `a`, of shape (n, d_in), or (n, S, d_in) where the weight is shared over S positions. A layer with a
            bias appends its column here, last: ones (so that `W~ = [W | b]` acts on `[a; 1]`).
        output_gradients: `g`, the K columns backpropagated to the layer's output: (n, d_out) or (n, K, d_out) beside
            2-d inputs, (n, S, d_out) or (n, S, K, d_out) beside 3-d inputs. Not divided by n.
        name: How messages call the layer.

    The arrays may come from any library that follows the array API; library, dtype and device are kept.
    They are stored as views of shape (n, S, d_in) and (n, S, K, d_out), without a copy: do not write into
    them afterwards.

    Cost: one pass over the arrays, to see that every entry is finite.

    Raises `ValueError` for anything but two arrays of float32, float64, complex64 or complex128 entries, of
    one library, dtype and device, for shapes that do not belong together, for an empty axis, and for NaN or
    Inf.

    >>> import numpy as np
    >>> LayerStatistics(np.ones((8, 5)), np.ones((8, 3, 2)), name="hidden")
    LayerStatistics('hidden', n=8, S=1, K=3, d_out=2, d_in=5, numpy float64)

    Source: Martens and Grosse (2015), "Optimizing neural networks with Kronecker-factored approximate
    curvature", section 3, for a and g; Eschenhagen et al. (2023), "Kronecker-factored approximate curvature
    for modern neural network architectures", section 3, for shared weights.
    """

    inputs: Array
    output_gradients: Array
    name: str | None = None

    def __post_init__(self) -> None:
        a, g = self.inputs, self.output_gradients
        _require_same_kind(self._title, a, g)
        _require_matching_shapes(self._title, a, g)
        xp = namespace(a, g)
        if a.ndim == 2:
            a, g = xp.expand_dims(a, axis=1), xp.expand_dims(g, axis=1)
        if g.ndim == 3:
            g = xp.expand_dims(g, axis=2)
        _require_finite(self._title, "inputs", a)
        _require_finite(self._title, "output_gradients", g)
        object.__setattr__(self, "inputs", a)
        object.__setattr__(self, "output_gradients", g)

    @classmethod
    def _make(cls, inputs: Array, output_gradients: Array, name: str | None = None) -> "LayerStatistics":
        """Statistics whose source knows that they fit: (n, S, d_in) and (n, S, K, d_out), finite and of one kind."""
        self = object.__new__(cls)
        for field, value in (("inputs", inputs), ("output_gradients", output_gradients), ("name", name)):
            object.__setattr__(self, field, value)
        return self

    @property
    def n(self) -> int:
        """Number of examples."""
        return int(self.inputs.shape[0])

    @property
    def S(self) -> int:
        """Number of positions at which the weight is used in one example."""
        return int(self.inputs.shape[1])

    @property
    def K(self) -> int:
        """Number of backpropagated columns per example."""
        return int(self.output_gradients.shape[2])

    @property
    def d_in(self) -> int:
        """Length of one input, the bias column counted."""
        return int(self.inputs.shape[2])

    @property
    def d_out(self) -> int:
        """Length of one output."""
        return int(self.output_gradients.shape[3])

    @property
    def parameters(self) -> int:
        """Number of parameters of the layer, `d_out · d_in`."""
        return self.d_out * self.d_in

    @property
    def dtype(self) -> Array:
        """The dtype of both arrays."""
        return self.inputs.dtype

    @property
    def device(self) -> Array:
        """The device of both arrays."""
        return kind(self.inputs).device

    @property
    def _title(self) -> str:
        return "this layer" if self.name is None else f"layer {self.name!r}"

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r}, "
        sizes = f"n={self.n}, S={self.S}, K={self.K}, d_out={self.d_out}, d_in={self.d_in}"
        return f"LayerStatistics({name}{sizes}, {kind(self.inputs)})"


def _require_same_kind(title: str, a: Array, g: Array) -> None:
    """Require two floating arrays of one library, one dtype and one device."""
    for label, x in (("inputs", a), ("output_gradients", g)):
        if not is_array(x):
            raise ValueError(
                f"{label} of {title} must be an array, got {type(x).__name__}: convert it first, "
                "for example by numpy.asarray(x, dtype=float)"
            )
        try:
            kind(x)
        except TypeError as error:
            raise ValueError(
                f"{label} of {title} have dtype {x.dtype}, but curvature needs float32, float64, "
                "complex64 or complex128: convert them by astype"
            ) from error
    if kind(a) != kind(g):
        raise ValueError(
            f"inputs of {title} are {kind(a)}, output_gradients {kind(g)}: bring both to one library, "
            "one dtype and one device; none is chosen for you"
        )


def _require_matching_shapes(title: str, a: Array, g: Array) -> None:
    """Require dimensions, examples and positions that belong together, and no empty axis."""
    shapes = f"inputs {tuple(a.shape)} and output_gradients {tuple(g.shape)}"
    if a.ndim not in (2, 3):
        raise ValueError(
            f"{title} got {shapes}: inputs need 2 dimensions (n, d_in), or 3 (n, S, d_in) for shared "
            "weights; reshape them, a single example has n = 1"
        )
    if g.ndim not in (a.ndim, a.ndim + 1):
        wanted = "(n, d_out) or (n, K, d_out)" if a.ndim == 2 else "(n, S, d_out) or (n, S, K, d_out)"
        raise ValueError(f"{title} got {shapes}: beside {a.ndim}-d inputs the output_gradients need shape {wanted}")
    if a.shape[0] != g.shape[0]:
        raise ValueError(
            f"{title} got {shapes}: {a.shape[0]} examples on one side, {g.shape[0]} on the other; "
            "the first axis of both counts the examples"
        )
    if a.ndim == 3 and a.shape[1] != g.shape[1]:
        raise ValueError(
            f"{title} got {shapes}: S = {a.shape[1]} positions on one side, {g.shape[1]} on the other; "
            "the second axis of both counts the positions, and the columns come third: (n, S, K, d_out)"
        )
    sizes = {"n": a.shape[0], "d_in": a.shape[-1], "d_out": g.shape[-1]}
    if a.ndim == 3:
        sizes["S"] = a.shape[1]
    if g.ndim == a.ndim + 1:
        sizes["K"] = g.shape[-2]
    empty = [f"{size} = 0" for size, length in sizes.items() if length == 0]
    if empty:
        raise ValueError(
            f"{title} got {shapes}: {', '.join(empty)}, so it has no curvature; "
            "leave the layer out, or hand over at least one example, position, column, input and output"
        )


def _require_finite(title: str, label: str, x: Array) -> None:
    """Require finite entries; the message says how many examples are bad and which is the first."""
    if all_finite(x):
        return
    xp = namespace(x)
    bad = xp.any(xp.reshape(~xp.isfinite(x), (x.shape[0], -1)), axis=1)
    counts = xp.astype(bad, xp.int32)
    raise ValueError(
        f"{label} of {title} hold NaN or Inf in {int(xp.sum(counts))} of {x.shape[0]} examples, "
        f"first in example {int(xp.argmax(counts))}: drop them, or look for an overflow in the model"
    )
