"""stream: the curvature of many examples from batches of them, of which none is kept."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from kronlin.algebra import Operator
from kronlin.curvature._ekfac import ekfac
from kronlin.curvature._fisher import checked_layers
from kronlin.curvature._kfac_corrected import kfac_corrected
from kronlin.curvature._kpsvd import kpsvd
from kronlin.curvature._mix import mix, require_mixable
from kronlin.curvature._partial_traces import trace_products
from kronlin.curvature._shampoo import root_of_factors, shampoo
from kronlin.curvature._tkfac import over_trace, tkfac
from kronlin.curvature._tridiagonal_kfac import tridiagonal_kfac
from kronlin.curvature.statistics import LayerStatistics

Estimator = Callable[..., Operator]

_MEANS: dict[Estimator, tuple[Estimator, Callable[[Any], Operator]]] = {
    tkfac: (trace_products, over_trace),
    shampoo: (trace_products, root_of_factors),
}
"""Estimators that are a function of means over the examples, and how: all others are such means themselves."""

_NO_MEANS = {
    kpsvd: "its factors are singular vectors of the whole block, and those of batches have not that mean",
    tridiagonal_kfac: "it is an elimination of the moments, damped, and that of batches has not the same mean",
    kfac_corrected: "its second term is a singular pair of the whole block, and those of batches have not that mean",
}


def stream(estimator: Estimator, batches: Iterable[Sequence[LayerStatistics]], **options: Any) -> Operator:
    """The estimate from all examples of the batches, as if they came at once: factors Σ_b n_b factor_b / Σ_b n_b.

    Exact for batches of any sizes n_b with `kfac`, `foof`, `diagonal_fisher` and `mini_block_fisher`, and with `tkfac`
    and `shampoo`, of which the partial traces are averaged, and divided or rooted at the end. With `ekfac` in a given
    basis too, so that EK-FAC takes two passes: `K = stream(kfac, batches)`, then `stream(ekfac, again, basis=K)`.

    Each batch is taken once and let go before the next is asked for: what is held is one batch and two estimates.

    Args:
        estimator: one of these, or a function of yours from layers to an operator of which each array is a mean over
            the examples.
        batches: the layers of one batch after the other, a generator say; all with the same number of positions S.
        options: for the estimator, such as `sharing="reduce"`.

    Raises:
        ValueError: the estimator is no mean over examples (`kpsvd`, `kfac_corrected`, `tridiagonal_kfac`, and `ekfac`
            without a basis), there is no batch, or the batches do not belong to one net.

    >>> import numpy as np, kronlin as kl
    >>> a, g = np.arange(10.0).reshape(5, 2), np.ones((5, 3))
    >>> batches = ([kl.LayerStatistics(a[some], g[some])] for some in (slice(0, 3), slice(3, 5)))
    >>> K = kl.stream(kl.kfac, batches)
    >>> K
    BlockDiagonal(6×6, float64, psd: Kronecker(3×3 ⊗ 2×2))
    >>> bool(np.allclose(K.to_dense(), kl.kfac([kl.LayerStatistics(a, g)]).to_dense()))
    True

    Source: the means are those of Martens and Grosse (2015), arXiv 1503.05671, and of the estimators' own papers.
    """
    while isinstance(estimator, partial):
        options = {**estimator.keywords, **options}
        estimator = estimator.func
    reason = _NO_MEANS.get(estimator)
    if reason:
        raise ValueError(
            f"{estimator.__name__} cannot be streamed: {reason}; stream kfac, or pass all examples at once"
        )
    if estimator is ekfac and options.get("basis") is None:
        raise ValueError(
            "ekfac cannot be streamed without a basis, for each batch has its own eigenvectors: go over the data "
            "twice, K = stream(kfac, batches), then stream(ekfac, batches_again, basis=K)"
        )
    moments, finish = _MEANS.get(estimator, (estimator, _as_it_is))
    mean, seen, positions = None, 0, None
    for batch in batches:
        n, S = checked_layers(batch)[0].n, [layer.S for layer in batch]
        new = moments(batch, **options)
        del batch  # else the loop would hold it while the next one is made
        mean = new if mean is None else mean
        require_mixable(mean, new)
        if positions not in (None, S):
            raise ValueError(
                f"the layers of one batch have {positions} positions S, of another {S}: bring them to one S"
            )
        positions, seen = S, seen + n
        mean = mix(mean, new, 1 - n / seen)
    if mean is None:
        raise ValueError("there is no batch: a generator serves one pass only, so make it again for a second one")
    return finish(mean)


def _as_it_is(mean: Operator) -> Operator:
    return mean
