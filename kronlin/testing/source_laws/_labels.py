"""Expectations over the labels of the model, as finite sums: for all labels where there are finitely many."""

import math
from itertools import product

import numpy as np

from kronlin.sources._activations import sigmoid
from kronlin.sources._loss import Loss

MOST = 256
"""Above this many labels of an example they are not gone through."""

Weighted = list[tuple[np.ndarray, np.ndarray]]


def weighted_labels(head: Loss | None, f: np.ndarray) -> Weighted | None:
    """Return pairs of weights (n,) and labels, with `E φ(y_i) = Σ w_i φ(y_i)` for every quadratic φ.

    For "softmax" and "bernoulli" these are all labels with their probabilities, so that it holds for every φ; for "mse"
    they are `f ± √D e_d`, with weights 1/(2D). None where the loss is another one or the labels are too many.

    Args:
        head: the loss.
        f: outputs of shape (n, *positions, D).
    """
    name, n, size = getattr(head, "name", None), len(f), math.prod(f.shape[1:])
    if name == "mse":
        steps = math.sqrt(size) * np.eye(size).reshape(size, *f.shape[1:])
        return [(np.full(n, 0.5 / size), f + sign * step) for step in steps for sign in (1, -1)]
    D, terms = f.shape[-1], size // f.shape[-1]
    if name == "softmax" and D**terms <= MOST:
        p = np.exp(f - f.max(axis=-1, keepdims=True))
        p = (p / p.sum(axis=-1, keepdims=True)).reshape(n, terms, D)
        sets = [np.asarray(each) for each in product(range(D), repeat=terms)]
        weights = [p[:, np.arange(terms), each].prod(axis=1) for each in sets]
        return [
            (w, np.broadcast_to(each.reshape(f.shape[1:-1]), f.shape[:-1]))
            for w, each in zip(weights, sets, strict=True)
        ]
    if name == "bernoulli" and 2**size <= MOST:
        q = sigmoid(f).reshape(n, size)
        sets = [np.asarray(each, float) for each in product((0, 1), repeat=size)]
        weights = [np.where(each == 1, q, 1 - q).prod(axis=1) for each in sets]
        return [(w, np.broadcast_to(each.reshape(f.shape[1:]), f.shape)) for w, each in zip(weights, sets, strict=True)]
    return None
