"""Sums: lazy, flat, and what follows from the terms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import Identity, Sum, assume, rules
from kronlin.arrays import kind
from kronlin.operators import BlockDiagonal, Dense, Diagonal, Kronecker
from kronlin.testing import check_operator
from tests.algebra.bare import Bare, agree, bare
from tests.libraries import fast
from tests.matrices import DTYPES, each_dtype, hermitian, normal, positive
from tests.nets import close


@each_dtype()
def test_on_every_library(lib, dtype):
    (A, a), (B, b) = bare((3, 2), lib, dtype), bare((3, 2), lib, dtype, seed=1)
    agree(A + B, a + b, lib, Sum)
    agree(A - B, a - b, lib, Sum)
    agree(A + lib.asarray(b), a + b, lib, Sum)


def test_an_array_may_stand_on_either_side():
    A, a = bare((3, 2))
    b = normal((3, 2), seed=1)
    agree(b + A, a + b, kind_of=Sum)
    agree(b - A, b - a, kind_of=Sum)
    agree(A - b, a - b, kind_of=Sum)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3), (0, 2), (0, 0)])
def test_laws(dtype, shape):
    (A, a), (B, b) = bare(shape, dtype=dtype), bare(shape, dtype=dtype, seed=1)
    check_operator(A + 2 * B, a + 2 * b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_laws_of_definite_terms(dtype):
    a, b = positive(3, dtype), hermitian(3, dtype)
    check_operator(assume(Bare(a), "psd") + assume(Bare(a), "pd"), 2 * a)
    check_operator(assume(Bare(a), "psd") - assume(Bare(b), "self-adjoint"), a - b)
    check_operator(assume(Bare(a), "psd").damped(0.5), a + np.eye(3, dtype=a.dtype) / 2)


def test_terms_are_kept_as_they_are_and_opened():
    (A, _), (B, _), (C, _) = bare((2, 2)), bare((2, 2), seed=1), bare((2, 2), seed=2)
    assert (A + B).terms == (A, B)
    for total in (A + B + C, A + (B + C)):
        assert total.terms == (A, B, C)
    assert [type(term).__name__ for term in (A - B).terms] == ["Bare", "Scaled"]
    assert [term.factor for term in (3 * (A + B)).terms] == [3, 3]


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        ("pd", "pd", (True, True, True)),
        ("pd", "psd", (True, True, True)),
        ("psd", "psd", (True, True, None)),
        ("psd", "self-adjoint", (True, None, None)),
        ("pd", "self-adjoint", (True, None, None)),
        ("pd", None, (None, None, None)),
        (None, None, (None, None, None)),
    ],
)
def test_what_is_known(one, two, told):
    terms = [Bare(positive(3)) if promise is None else assume(Bare(positive(3)), promise) for promise in (one, two)]
    assert (terms[0] + terms[1]).properties == told
    assert (terms[1] + terms[0]).properties == told


def test_what_a_term_lacks_the_sum_may_have():
    A, B = Bare(positive(3)), assume(Bare(positive(3)), "pd")
    assert (-B).is_psd is False
    assert (A - B).properties == (None, None, None)
    assert (B + B - B).is_psd is None
    skew = Dense(np.array([[0.0, 1.0], [-1.0, 0.0]]))
    assert skew.is_self_adjoint is False
    assert (Sum(skew, skew.T)).is_self_adjoint is None


def test_structures_that_know_their_sum_are_added():
    d = np.arange(1.0, 4.0)
    assert type(Diagonal(d) + Diagonal(d)) is Diagonal
    assert type(Dense(np.eye(3)) + np.eye(3)) is Dense
    assert type(BlockDiagonal([np.eye(2), np.eye(2)]) + BlockDiagonal([np.eye(2), np.eye(2)])) is BlockDiagonal
    K = Kronecker(np.eye(2), np.eye(3))
    assert type(K + K) is Sum


def test_real_and_complex_terms_meet_in_complex(lib):
    (A, a), (B, b) = bare((2, 2), lib), bare((2, 2), lib, "complex128", seed=1)
    for total, dense in ((A + B, a + b), (B + A, b + a), (A + 1j * A, (1 + 1j) * a)):
        assert kind(total.to_dense()) == B.kind
        agree(total, dense, lib)


def test_scalars(lib):
    (A, a), (B, b) = bare((3, 3), lib, "complex64"), bare((3, 3), lib, "complex64", seed=1)
    for found, due in (((A + B).trace(), np.trace(a + b)), ((A - B).diagonal(), np.diagonal(a - b))):
        assert kind(found).dtype_name == "complex64"
        close(lib.numpy(found), np.asarray(due), 1e-6)
    assert kind((A + B).norm()).dtype_name == "float32"
    close(lib.numpy((A + B).norm()), np.asarray(np.linalg.norm(a + b)), 1e-6)


def test_gram_and_projection_term_by_term(lib):
    (A, a), (B, b), (Z, z) = bare((3, 3), lib), bare((3, 3), lib, seed=1), bare((3, 2), lib, seed=2)
    close(lib.numpy(rules.gram(Z, A + B)), z.T @ (a + b))
    close(lib.numpy(rules.gram(A + B, Z)), (a + b).T @ z)
    image, matrix = rules.project(A + 2 * B, Z)
    close(lib.numpy(image.to_dense()), (a + 2 * b) @ z)
    close(lib.numpy(matrix), z.T @ (a + 2 * b) @ z)


def test_damping_finds_the_multiple_of_the_identity_anywhere():
    A, B = Bare(positive(3)), Bare(positive(3))
    total = A + 2 * Identity(3, like=A) + B
    damped = total.damped(3.0)
    assert len(damped.terms) == 3
    assert sorted(getattr(term, "factor", 0) for term in damped.terms) == [0, 0, 5]
    close(damped.to_dense(), 2 * positive(3) + 5 * np.eye(3))


def test_adjoint_of_a_sum_is_the_sum_of_adjoints():
    (A, _), (B, _) = bare((3, 2), dtype="complex128"), bare((3, 2), dtype="complex128", seed=1)
    assert (A + B).H.terms == (A.H, B.H)
    assert (A + B).H.H.terms == (A, B)


def test_shapes_must_agree():
    (A, _), (B, _) = bare((3, 2)), bare((2, 3))
    with pytest.raises(ValueError, match=r"Bare\(3×2\) \+ 2×3: their shapes differ"):
        A + B
    with pytest.raises(ValueError, match=r"Bare\(3×2\) - 2×3"):
        A - B
    with pytest.raises(ValueError, match=r"Bare\(3×2\) \+ 3×1"):
        A + np.ones((3, 1))
    with pytest.raises(TypeError, match="unsupported operand"):
        A + 1.0


def test_repr_lists_the_terms():
    A = Bare(np.eye(2))
    assert repr(A + 2 * A) == "Sum(2×2, float64: Bare(2×2), 2 · Bare(2×2))"


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-3, 3)), min_size=1, max_size=5),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.sampled_from(fast()),
)
def test_linear_combinations(terms, shape, lib):
    pairs = [(*bare(shape, lib, seed=seed), factor) for seed, factor in terms]
    total, dense = pairs[0][2] * pairs[0][0], pairs[0][2] * pairs[0][1]
    for op, matrix, factor in pairs[1:]:
        total, dense = total + factor * op, dense + factor * matrix
    agree(total, dense, lib)
