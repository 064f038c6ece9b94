"""A loss at every position of the output."""

import math

import numpy as np

from kronlin.sources._loss import Floats, Labels, Loss


class PerPosition(Loss):
    """The sum over the positions of a loss of rows, for outputs f of shape (n, ..., D).

    `ℓ(f_i, y_i) = Σ_s ℓ(f_is, y_is)`. The label of one position does not depend on the others, so that the Hessian
    is block diagonal: its root has a column for each pair of position and column of the row's root,
    `L_i = blockdiag(L_is)`. Without positions it is the loss of rows itself.

    Labels: what the loss takes for one row, at every position.

    >>> from kronlin.sources._losses import loss_function
    >>> loss = PerPosition(loss_function("softmax"))
    >>> f, y = np.zeros((3, 5, 2)), np.zeros((3, 5), int)
    >>> loss.value(f, y).shape, loss.root(f).shape
    ((3,), (3, 5, 2, 10))
    """

    def __init__(self, rowwise: Loss) -> None:
        self.rowwise = rowwise
        self.name = rowwise.name

    def targets(self, f: Floats, y: Labels) -> Floats:
        return self.rowwise.targets(_rows(f), self._row_labels(f, y)).reshape(f.shape)

    def value(self, f: Floats, y: Labels) -> Floats:
        values = self.rowwise.value(_rows(f), self._row_labels(f, y))
        return np.asarray(values.reshape(len(f), _count(f)).sum(axis=1))

    def gradient(self, f: Floats, y: Labels) -> Floats:
        return self.rowwise.gradient(_rows(f), self._row_labels(f, y)).reshape(f.shape)

    def root(self, f: Floats) -> Floats:
        S, root = _count(f), self.rowwise.root(_rows(f))
        if S == 1:
            return root.reshape(*f.shape, -1)
        D, K = root.shape[1:]
        blocks = root.reshape(len(f), S, D, 1, K) * np.eye(S, dtype=f.dtype)[:, None, :, None]
        return np.asarray(blocks.reshape(*f.shape, S * K))

    def sample(self, f: Floats, rng: np.random.Generator) -> Labels:
        labels = self.rowwise.sample(_rows(f), rng)
        return labels.reshape(f.shape[:-1] + labels.shape[1:])

    def _row_labels(self, f: Floats, y: Labels) -> Labels:
        """Return the labels of the rows; the loss of rows checks them further."""
        if f.ndim == 2:
            return y
        shape = y.shape if isinstance(y, np.ndarray) else type(y).__name__
        if shape not in (f.shape, f.shape[:-1]):
            raise ValueError(
                f"{self.name!r} got labels of shape {shape} beside outputs of shape {f.shape}: "
                "a label at every position of every example"
            )
        return y.reshape(-1, *y.shape[f.ndim - 1 :])


def _rows(f: Floats) -> Floats:
    """The outputs (n, ..., D) as rows."""
    return f.reshape(-1, f.shape[-1])


def _count(f: Floats) -> int:
    """The number S of positions."""
    return math.prod(f.shape[1:-1])
