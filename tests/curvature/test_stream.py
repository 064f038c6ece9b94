"""Laws of streaming: batches of any sizes give what all examples at once give, and none of them is kept."""

import gc
from functools import partial
from weakref import ref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.libraries import JAX, NUMPY
from tests.matrices import each_dtype
from tests.nets import close, random_layers

REDUCE = partial(kl.kfac, sharing="reduce")
ESTIMATORS = {
    "kfac": kl.kfac,
    "reduce": REDUCE,
    "tkfac": kl.tkfac,
    "diagonal": kl.diagonal_fisher,
    "mini-block": kl.mini_block_fisher,
    "foof": kl.foof,
    "shampoo": kl.shampoo,
}
EACH = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)


def batches_of(layers, sizes):
    """The layers cut along the examples."""
    cuts = np.cumsum([0, *sizes])
    for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        yield [
            kl.LayerStatistics(layer.inputs[start:stop, ...], layer.output_gradients[start:stop, ...])
            for layer in layers
        ]


def layers_of(n, seed=0, S=2, lib=NUMPY, dtype="float64"):
    return random_layers(np.random.default_rng(seed), n, 2, [(2, 3), (3, 2), (2, 3)], S, lib, dtype)


SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=5)


@EACH
@given(sizes=SIZES, S=st.integers(1, 2), dtype=st.sampled_from(["float64", "complex128"]), seed=st.integers(0, 99))
def test_is_the_estimate_from_all_examples(estimator, sizes, S, dtype, seed):
    layers = layers_of(sum(sizes), seed, S, dtype=dtype)
    found, wanted = kl.stream(estimator, batches_of(layers, sizes)), estimator(layers)
    assert type(found) is type(wanted)
    assert found.properties == wanted.properties
    close(found.to_dense(), wanted.to_dense())
    for array, other in zip(found._arrays(), wanted._arrays(), strict=True):
        close(array, other)


@given(sizes=SIZES, seed=st.integers(0, 99))
def test_ekfac_in_a_given_basis(sizes, seed):
    layers = layers_of(sum(sizes), seed)
    K = kl.kfac(layers)
    found, wanted = kl.stream(kl.ekfac, batches_of(layers, sizes), basis=K), kl.ekfac(layers)
    close(found.to_dense(), wanted.to_dense())
    assert [type(bucket) for bucket in found.buckets] == [kl.Spectral, kl.Spectral]


def test_ekfac_in_two_passes():
    layers, sizes = layers_of(20), (9, 4, 7)
    K = kl.stream(kl.kfac, batches_of(layers, sizes))
    found = kl.stream(kl.ekfac, batches_of(layers, sizes), basis=K)
    close(found.to_dense(), kl.ekfac(layers).to_dense(), 1e-9)


def test_weights_are_those_of_the_examples():
    """The mean of the batches' estimates is another one, and so is TK-FAC from the mean of its factors."""
    layers, sizes = layers_of(12), (1, 11)
    for estimator in (kl.kfac, kl.tkfac):
        parts = [estimator(batch) for batch in batches_of(layers, sizes)]
        mean = kl.RunningAverage(1.0).update(parts[0]).update(parts[1]).value.to_dense()
        wanted = estimator(layers).to_dense()
        assert np.linalg.norm(mean - wanted) > 0.05 * np.linalg.norm(wanted)


def test_options_reach_the_estimator():
    layers = layers_of(6)
    found = kl.stream(kl.kfac, batches_of(layers, (2, 4)), sharing="reduce")
    close(found.to_dense(), kl.kfac(layers, "reduce").to_dense())


def test_a_function_of_yours():
    """FOOF: G = I, and A is the mean."""

    def foof(layers):
        blocks = [
            kl.Kronecker(kl.Identity(A.factors[0].shape[0], like=A), A.factors[1]) for A in kl.kfac(layers).blocks
        ]
        return kl.BlockDiagonal(blocks)

    layers = layers_of(6)
    close(kl.stream(foof, batches_of(layers, (2, 4))).to_dense(), foof(layers).to_dense())


@EACH
def test_no_batch_is_kept(estimator):
    """When a batch is made, none of those before is alive any more."""
    alive, most = [], 0

    def batches():
        nonlocal most
        for seed in range(4):
            gc.collect()
            most = max(most, sum(each() is not None for each in alive))
            layers = layers_of(3, seed)
            alive.extend(ref(array) for layer in layers for array in (layer.inputs, layer.output_gradients))
            handed, layers = [layers], None
            yield handed.pop()

    result = kl.stream(estimator, batches())
    gc.collect()
    assert result.is_psd
    assert len(alive) == 24
    assert most == 0
    assert not any(each() is not None for each in alive)


def test_a_generator_is_taken_once():
    taken = []

    def batches():
        for seed in range(3):
            taken.append(seed)
            yield layers_of(2, seed)

    kl.stream(kl.kfac, batches())
    assert taken == [0, 1, 2]


@each_dtype(("float32", "float64"))
def test_every_library(lib, dtype):
    layers = layers_of(5, lib=lib, dtype=dtype)
    for estimator in (kl.kfac,) if lib is JAX else (kl.kfac, kl.tkfac, kl.diagonal_fisher):
        found, wanted = kl.stream(estimator, batches_of(layers, (2, 3))), estimator(layers)
        assert found.kind == wanted.kind
        for array, other in zip(found._arrays(), wanted._arrays(), strict=True):
            close(lib.numpy(array), lib.numpy(other), 1e-5 if dtype == "float32" else 1e-12)


def test_many_batches_in_single_precision():
    """The mean does not drift: errors stay those of a few roundings."""
    layers = layers_of(2000, dtype="float64")
    single = [kl.LayerStatistics(x.inputs.astype("float32"), x.output_gradients.astype("float32")) for x in layers]
    found = kl.stream(kl.kfac, batches_of(single, [2] * 1000))
    for array, other in zip(found._arrays(), kl.kfac(layers)._arrays(), strict=True):
        close(array, other, 1e-5)


def test_dead_batches():
    """A batch without curvature counts with its examples: the product halves where it is the half of them."""
    alive = layers_of(3)
    dead = [kl.LayerStatistics(x.inputs, 0 * x.output_gradients) for x in alive]
    found = kl.stream(kl.tkfac, [dead, alive])
    close(found.to_dense(), kl.tkfac(alive).to_dense() / 2)
    assert not kl.stream(kl.tkfac, [dead, dead]).to_dense().any()


@pytest.mark.parametrize(
    ("estimator", "options", "match"),
    [
        (kl.kpsvd, {}, "kpsvd cannot be streamed: its factors are singular vectors"),
        (partial(kl.kpsvd, rank=2), {}, "kpsvd cannot be streamed"),
        (kl.kfac_corrected, {}, "kfac_corrected cannot be streamed: its second term"),
        (kl.ekfac, {}, r"ekfac cannot be streamed without a basis.*stream\(ekfac, batches_again, basis=K\)"),
        (kl.ekfac, {"basis": None}, "without a basis"),
        (kl.fisher, {}, "cannot average LowRank"),
        (kl.block_diagonal_fisher, {}, "cannot average LowRank"),
        (lambda layers: kl.kpsvd(layers, rank=2), {}, "term by term"),
    ],
)
def test_what_is_no_mean_is_refused(estimator, options, match):
    with pytest.raises(ValueError, match=match):
        kl.stream(estimator, [layers_of(4)], **options)


@pytest.mark.parametrize(
    ("batches", "match"),
    [
        ([], "there is no batch: a generator serves one pass only"),
        ([layers_of(2), layers_of(2)[:2]], "their shapes differ"),
        ([layers_of(2), layers_of(2)[::-1][1:] + layers_of(2)[:1]], "must have one structure"),
        ([layers_of(2, S=2), layers_of(2, S=1)], r"\[2, 2, 2\] positions S, of another \[1, 1, 1\]"),
        ([layers_of(2), layers_of(2, dtype="float32")], "numpy float64 and numpy float32"),
        ([[]], "layers is empty"),
    ],
)
def test_batches_are_checked(batches, match):
    with pytest.raises(ValueError, match=match):
        kl.stream(kl.kfac, batches)


def test_a_batch_is_a_sequence_of_layers():
    with pytest.raises(TypeError, match="layers must be a sequence of LayerStatistics"):
        kl.stream(kl.kfac, layers_of(2))
