"""Parts and options: what follows from them for every operator."""

import numpy as np
import pytest

from kronlin.algebra import Adjoint, Product, Scaled, Sum, assume
from kronlin.algebra.structure import common_batch, part_kind, promote, stack, unstack
from kronlin.arrays import kind
from kronlin.operators import BlockDiagonal, Dense, Function, KhatriRao, Kronecker, Spectral, VStack
from tests.algebra.bare import Bare, bare
from tests.algebra.examples import NAMES, examples
from tests.libraries import JAX, NUMPY, STRICT, STRICT_DEVICE, installed
from tests.matrices import normal, positive
from tests.nets import close

EACH = pytest.mark.parametrize("name", NAMES)


def same(op, before, lib, tolerance):
    """The structure of `before`, with the same entries to a tolerance."""
    assert type(op) is type(before)
    assert [type(part) for part in walk(op)] == [type(part) for part in walk(before)]
    assert op.shape == before.shape
    assert op.properties == before.properties
    close(lib.numpy(op.to_dense()), NUMPY.numpy(before.to_dense()), tolerance)


def walk(op):
    """The operators inside an operator."""
    for part in op.parts:
        if hasattr(part, "parts"):
            yield part
            yield from walk(part)


@EACH
def test_astype_keeps_the_structure(name):
    op = examples()[name]
    for dtype in ("float32", "complex64", "complex128", "float64"):
        cast = op.astype("complex128" if dtype.startswith("complex") else "float64").astype(dtype)
        assert kind(cast.to_dense()).dtype_name == dtype
        assert cast.dtype == np.dtype(dtype)
        same(cast, op, NUMPY, 1e-6 if dtype in ("float32", "complex64") else 0)
    assert op.astype("float64") is op
    assert op.astype(np.float64) is op


@EACH
def test_astype_does_not_drop_imaginary_parts(name):
    if name in ("Identity", "Zero"):
        return
    with pytest.raises(TypeError, match="complex128 array does not fit into float64"):
        examples(dtype="complex128")[name].astype("float64")


def test_real_parts_of_a_complex_operator_stay_real():
    Q = np.linalg.qr(normal((3, 2), "complex128"))[0]
    S = Spectral(Q, np.array([1.0, 2.0])).astype("complex64")
    assert S.w.dtype == np.float32
    assert S.dtype == np.complex64


@EACH
def test_to_every_library_and_back(name):
    op = examples()[name]
    for lib in installed() if name == "BlockDiagonal" else (STRICT, STRICT_DEVICE):
        if lib is JAX:
            kind_of = "jax"
        moved = op.to(kind_of) if lib is JAX else op.to(lib.asarray([0.0]))
        assert lib.owns(moved.to_dense())
        same(moved, op, lib, 1e-15)
        same(moved.to("numpy"), op, NUMPY, 0)
    assert all(x is y for x, y in zip(op.to("numpy")._arrays(), op._arrays(), strict=True))


@pytest.fixture(autouse=True)
def double_precision():
    if JAX in installed():
        import jax

        jax.config.update("jax_enable_x64", True)


def test_an_unknown_library_is_refused():
    with pytest.raises(ValueError, match=r"unknown array library 'tensorflow': the known ones are numpy"):
        Dense(np.eye(2)).to("tensorflow")


def test_promises_survive_a_move():
    A = assume(Bare(positive(2)), "pd")
    assert A.astype("float32").is_pd is True
    assert A.to(STRICT_DEVICE.asarray([0.0])).is_pd is True
    assert Kronecker(A, A).astype("float32").is_pd is True


@pytest.mark.parametrize("make", [lambda b: Dense(b), lambda b: Bare(b), lambda b: KhatriRao(b, b[:1])])
def test_a_congruence_survives_a_move(make):
    B, M = make(normal((3, 2))), assume(Bare(positive(3)), "pd")
    for C in (Product(B.H, M, B), Product(B, M._map(lambda a: a[:2, :2]), B.H)):
        assert C.is_psd is True
        assert C.astype("float32").is_psd is True
        assert C.to("array_api_strict").is_psd is True
    moved = Product(B.H, B).astype("complex64")
    assert moved.factors[0] is moved.factors[1].H
    assert moved.factors[1] is moved.factors[0].H


def test_a_part_that_occurs_twice_is_moved_once():
    a = positive(2)
    A = Bare(a)
    moved = (A @ A @ A).astype("float32")
    assert moved.factors[0] is moved.factors[1] is moved.factors[2]
    pair = Sum(Bare(a), Bare(a)).astype("float32")
    assert pair.terms[0].array is pair.terms[1].array


def test_bytes_count_an_array_once():
    a = positive(4)
    assert Dense(a).nbytes == a.nbytes
    assert Kronecker(a, a).nbytes == a.nbytes
    assert Sum(Bare(a), Bare(a.copy())).nbytes == 2 * a.nbytes
    assert (3 * Dense(a).astype("complex64")).nbytes == a.nbytes
    assert Adjoint(Bare(a)).nbytes == a.nbytes
    assert BlockDiagonal([a, a, np.ones((3, 2))]).nbytes == 2 * a.nbytes + 48
    for lib in installed():
        assert Dense(lib.asarray(np.ones((2, 3)), "complex64")).nbytes == 48


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("BlockDiagonal", "VStack")])
@pytest.mark.parametrize("lib", [NUMPY, STRICT_DEVICE], ids=str)
def test_stacking_and_unstacking(name, lib):
    ops = [examples(lib)[name], 2 * examples(lib)[name] if name == "Dense" else examples(lib)[name]]
    assert ops[0]._signature() == ops[1]._signature()
    whole = stack(ops)
    assert type(whole) is type(ops[0])
    assert whole.batch == (2,)
    assert whole.shape == ops[0].shape
    for i, op in enumerate(ops):
        same(unstack(whole, i), op.to("numpy"), lib, 0)
        assert unstack(whole, i).batch == ()
    x = np.stack([normal((ops[0].shape[1], 2), seed=i) for i in range(2)])
    products = lib.numpy(whole._matmat(lib.asarray(x)))
    for i, op in enumerate(ops):
        close(products[i], lib.numpy(op._matmat(lib.asarray(x[i]))), 1e-14)
    assert stack(ops[:1]) is ops[0]
    assert unstack(ops[0], 0) is ops[0]


def test_what_is_shared_stays_shared_in_a_stack():
    pairs = [(bare((3, 2), seed=i)[0], assume(Bare(positive(3, seed=i)), "pd")) for i in range(3)]
    blocks = BlockDiagonal([Product(B.H, M, B) for B, M in pairs])
    assert blocks.buckets[0].batch == (3,)
    assert blocks.is_psd is True
    assert all(block.is_psd for block in blocks.blocks)
    assert blocks.nbytes == 3 * (6 + 9) * 8
    a = positive(2)
    b = 2 * a
    assert BlockDiagonal([Kronecker(a, a), Kronecker(b, b)]).nbytes == 2 * a.nbytes


def test_only_equals_have_equal_signatures():
    one = Bare(positive(2))
    others = [
        Bare(positive(3)),
        Bare(positive(2, "float32")),
        Dense(positive(2)),
        assume(Bare(positive(2)), "psd"),
        2 * Bare(positive(2)),
        3 * Bare(positive(2)),
        Kronecker(positive(2)),
        Kronecker(np.eye(2), np.ones((1, 1))),
    ]
    signatures = [op._signature() for op in (one, *others)]
    assert all(signatures.count(each) == 1 for each in signatures)
    assert one._signature() == Bare(normal((2, 2)))._signature()


def test_what_cannot_be_stacked_has_no_signature():
    F = Function(lambda x: x, shape=(2, 2), dtype="float64")
    for op in (
        F,
        2 * F,
        Kronecker(F, F),
        BlockDiagonal([np.eye(2)]),
        VStack([np.eye(2)]),
        stack([Bare(np.eye(2))] * 2),
    ):
        assert op._signature() is None


def test_promote_makes_real_parts_complex(lib):
    x, y = lib.asarray([1.0], "float32"), Bare(lib.asarray(np.ones((1, 1)), "complex64"))
    one, two = promote("it", x, y)
    assert part_kind(one) == part_kind(two) == y.kind
    assert two is y
    assert promote("it", x, x) == (x, x) or promote("it", x, x)[0] is x
    with pytest.raises(ValueError, match="a test mixes"):
        promote("a test", x, Bare(lib.asarray(np.ones((1, 1)))))


def test_common_batch_is_that_of_any_stack():
    one, many = Bare(np.ones((2, 2))), Bare(np.ones((5, 2, 2)))
    assert common_batch(one, many, one) == (5,)
    assert common_batch(one, one) == ()


def test_scaled_is_rebuilt_with_its_factor():
    assert (2.5 * Bare(np.eye(2))).astype("float32").factor == 2.5
    assert isinstance(Scaled(Bare(np.eye(2)), factor=0).astype("complex64"), Scaled)
