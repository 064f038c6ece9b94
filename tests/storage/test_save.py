"""save: what it stores once, what it refuses, and that nothing of an operator is lost."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given

import kronlin as kl
from kronlin.algebra import Product, Sum
from kronlin.algebra.structure import Structure, stack
from kronlin.testing import strategies
from tests.algebra.bare import Bare
from tests.algebra.examples import NAMES, examples
from tests.libraries import JAX, installed
from tests.matrices import normal, positive
from tests.storage.forge import unpack


def survives(op, path, **options):
    """Save, load, and hold the two against each other, part by part and bit by bit."""
    kl.save(path, op)
    loaded = kl.load(path, **options)
    same(loaded, op)
    return loaded


def same(loaded, op):
    assert type(loaded) is type(op)
    assert (loaded.shape, loaded.batch, loaded._promised) == (op.shape, op.batch, op._promised)
    assert loaded.properties == op.properties
    assert set(loaded.options) == set(op.options)
    for name, value in op.options.items():
        assert (
            np.array_equal(loaded.options[name], value)
            if isinstance(value, np.ndarray)
            else (loaded.options[name] == value and type(loaded.options[name]) is type(value))
        )
    for found, part in zip(loaded.parts, op.parts, strict=True):
        if isinstance(part, Structure):
            same(found, part)
        else:
            host = part if isinstance(part, np.ndarray) else op.kind.library.to_numpy(part)
            assert isinstance(found, np.ndarray)
            assert found.dtype == host.dtype
            assert np.array_equal(found, host)


@given(twin=strategies.operators())
def test_every_expression_survives(twin, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "expression"
    if "Function(" in str(kl.tree(twin.op, width=99)):
        with pytest.raises(TypeError, match=r"cannot save Function\("):
            kl.save(path, twin.op)
        return
    loaded = survives(twin.op, path)
    assert np.array_equal(loaded.to_dense(), twin.op.to_dense())
    content = path.read_bytes()
    kl.save(path, loaded)
    assert path.read_bytes() == content


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("name", NAMES)
def test_every_structure_survives(name, dtype, tmp_path):
    survives(examples(dtype=dtype)[name], tmp_path / "file", classes=[Bare])


@pytest.mark.parametrize("library", [lib for lib in installed() if lib is not JAX], ids=str)
def test_arrays_of_every_library_are_stored(library, tmp_path):
    survives(examples(library, "complex64")["BlockDiagonal"], tmp_path / "file")


def test_curvature_and_preconditioners_survive(tmp_path):
    layers = [kl.LayerStatistics(normal((9, 3), seed=i), normal((9, 2), seed=i + 5)) for i in range(3)]
    F, K = kl.fisher(layers).damped(0.3), kl.kfac(layers)
    for scheme in ("BNN", "AD", "A-DEF2"):
        B = kl.two_level(F, K.damped(0.3).inverse(), kl.coarse.nicolaides(K), scheme)
        loaded = survives(B, tmp_path / "file")
        assert np.array_equal(loaded @ np.ones(18), B @ np.ones(18))
    survives(F.inverse(), tmp_path / "file")
    survives(kl.block_diagonal_fisher(layers).damped(0.1).inverse(), tmp_path / "file")


def test_sparse_matrices_survive(tmp_path):
    A = kl.aslinearoperator(scipy.sparse.csr_array(np.diag([1.0, 0.0, 2.0]) + np.eye(3)))
    loaded = survives(kl.Kronecker(A, A.H @ A, A.inverse()), tmp_path / "file")
    assert loaded.factors[2].base is loaded.factors[0]
    assert len(unpack(tmp_path / "file")[1]) == 6


def test_a_class_of_yours_survives_where_it_is_given(tmp_path):
    survives(kl.assume(Bare(positive(2)), "pd"), tmp_path / "file", classes=[Bare])


# What is shared


def test_an_array_is_stored_once(tmp_path):
    a = positive(50)
    loaded = survives(kl.Kronecker(a, a, kl.KhatriRao(a, a)), tmp_path / "file")
    assert (tmp_path / "file").stat().st_size < 1.3 * a.nbytes
    assert loaded.factors[0].array is loaded.factors[1].array is loaded.factors[2].left


def test_an_operator_is_stored_once(tmp_path):
    K = kl.KhatriRao(normal((3, 2)), normal((2, 2)))
    loaded = survives(Sum(kl.LowRank(K), kl.LowRank(K, np.eye(2), K)), tmp_path / "file")
    first, second = loaded.terms
    assert first.U is first.V is second.U is second.V


@pytest.mark.parametrize("make", [kl.Dense, Bare, lambda b: kl.KhatriRao(b, b[:1]), lambda b: kl.VStack([b, b[:1]])])
@pytest.mark.parametrize("first", ["B", "B.H"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_congruence_stays_one(make, first, dtype, tmp_path):
    B = make(normal((40, 20), dtype))
    middle = kl.Identity(B.shape[0] if first == "B.H" else B.shape[1], like=B)
    C = Product(B.H, middle, B) if first == "B.H" else Product(B, middle, B.H)
    assert C.is_psd is True
    loaded = survives(C, tmp_path / "file", classes=[Bare])
    assert loaded.is_psd is True
    assert loaded.factors[2] is loaded.factors[0].H or loaded.factors[0] is loaded.factors[2].H
    arrays = {id(array): array for array in B._arrays()}.values()
    assert (tmp_path / "file").stat().st_size < sum(array.nbytes for array in arrays) + 3000


class Turned(Bare):
    """Its adjoint is of another type, whose adjoint is again of another."""


@kl.algebra.rules.adjoint.register(Turned)
def adjoint_of_turned(a):
    """Forget the type."""
    return kl.Dense(a.array.conj().T)


def test_an_adjoint_that_would_not_come_back_is_stored_as_it_is(tmp_path):
    B = Turned(normal((3, 2)))
    C = Product(B.H, B)
    assert C.is_psd is True
    loaded = survives(C, tmp_path / "file", classes=[Turned])
    assert type(loaded.factors[1]) is Turned
    assert loaded.is_psd is True


def test_stacks_survive(tmp_path):
    survives(stack([kl.Kronecker(positive(2, seed=i), positive(3, seed=i)) for i in range(3)]), tmp_path / "file")
    blocks = kl.BlockDiagonal([kl.Kronecker(positive(2, seed=i), np.eye(2)) for i in range(3)] + [np.eye(3)])
    loaded = survives(blocks.damped(0.1), tmp_path / "file")
    assert len(loaded.blocks) == 4


# What is refused


def test_what_cannot_be_saved_is_named_where_it_stands(tmp_path):
    F = kl.Function(np.flip, np.flip, shape=(2, 2), dtype="float64")
    with pytest.raises(TypeError, match=r"cannot save Function\(2×2, float64\): its matmat is a function, and a file"):
        kl.save(tmp_path / "file", kl.Function(lambda x: x, shape=(2, 2), dtype="float64"))
    whole = np.eye(2) + 2 * kl.Kronecker(F)
    with pytest.raises(
        TypeError, match=r"cannot save Function\(.*part of Kronecker\(.*part of .*Scaled\(.*part of Sum\("
    ):
        kl.save(tmp_path / "file", whole)
    foreign = scipy.sparse.linalg.aslinearoperator(np.eye(2))
    with pytest.raises(TypeError, match=r"cannot save Foreign\(.*its linear_map is a MatrixLinearOperator"):
        kl.save(tmp_path / "file", kl.Kronecker(foreign))
    assert not list(tmp_path.iterdir())


def test_what_is_not_finite_is_not_stored(tmp_path):
    with np.errstate(over="ignore"):
        overflown = kl.Kronecker(1e300 * kl.Diagonal(np.array([1e300, 1.0])))
    with pytest.raises(ValueError, match=r"cannot save Diagonal\(2×2.*NaN or infinite"):
        kl.save(tmp_path / "file", overflown)
    with pytest.raises(TypeError, match="expected an operator or an array"):
        kl.save(tmp_path / "file", "text")


def test_arrays_are_taken(tmp_path):
    kl.save(tmp_path / "file", np.eye(2))
    assert type(kl.load(tmp_path / "file")) is kl.Dense
