"""Products: lazy, joined at the seam where a rule can join, and psd where they are congruences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import Identity, Product, Scaled, assume, rules
from kronlin.arrays import SingularMatrixError, kind
from kronlin.operators import Dense, Diagonal, Function, KhatriRao, Kronecker
from kronlin.testing import check_operator
from tests.algebra.bare import Bare, agree, bare
from tests.libraries import fast
from tests.matrices import DTYPES, each_dtype, hermitian, normal, positive
from tests.nets import close


@each_dtype()
def test_on_every_library(lib, dtype):
    (A, a), (B, b), (C, c) = bare((3, 2), lib, dtype), bare((2, 4), lib, dtype, 1), bare((4, 3), lib, dtype, 2)
    agree(A @ B, a @ b, lib, Product)
    agree(A @ B @ C, a @ b @ c, lib, Product)
    agree(C @ A, c @ a, lib, Product)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(3, 3, 3), (3, 2, 3), (2, 3, 2), (2, 3, 4), (3, 0, 2), (0, 2, 0)])
def test_laws(dtype, sizes):
    (A, a), (B, b) = bare(sizes[:2], dtype=dtype), bare(sizes[1:], dtype=dtype, seed=1)
    check_operator(Product(A, B), a @ b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_laws_of_congruences(dtype):
    (B, b), m = bare((3, 2), dtype=dtype), positive(3, dtype)
    check_operator(B.H @ assume(Bare(m), "pd") @ B, b.conj().T @ m @ b)
    check_operator(B.H @ assume(Bare(hermitian(3, dtype)), "self-adjoint") @ B, b.conj().T @ hermitian(3, dtype) @ b)
    check_operator(Product(B.H, B), b.conj().T @ b)


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        ("pd", (True, True, None)),
        ("psd", (True, True, None)),
        ("self-adjoint", (True, None, None)),
        (None, (None,) * 3),
    ],
)
def test_congruence_keeps_what_it_can(promise, told):
    """pd may be lost: B can have a null space."""
    B, _ = bare((3, 2))
    M = Bare(positive(3)) if promise is None else assume(Bare(positive(3)), promise)
    C = B.H @ M @ B
    assert isinstance(C, Product)
    assert C.properties == told
    assert (B.H @ (M @ B)).properties == told
    nested, _ = bare((2, 4), seed=1)
    assert (nested.H @ C @ nested).properties == told


def test_only_the_same_operator_makes_a_congruence():
    """Equal entries in another object are no promise."""
    (B, b), M = bare((3, 2)), assume(Bare(positive(3)), "pd")
    twin = Bare(b.copy())
    assert (twin.H @ M @ B).properties == (None, None, None)
    assert (B.T @ M @ B).is_psd is True
    complex_one, _ = bare((3, 2), dtype="complex128")
    assert (complex_one.T @ assume(Bare(positive(3, "complex128")), "pd") @ complex_one).is_psd is None


def test_a_self_adjoint_factor_makes_its_own_congruence():
    S, M = assume(Bare(hermitian(3)), "self-adjoint"), assume(Bare(positive(3)), "pd")
    assert (S @ M @ S).is_psd is True
    assert Product(S, S).is_psd is True
    assert Product(S, S, S).properties == (True, None, None)
    assert Product(S, M).is_self_adjoint is None


def test_a_lack_is_not_handed_on():
    """Bᴴ (-M) B may be 0, which is psd."""
    B, M = Bare(np.zeros((2, 2))), -assume(Bare(positive(2)), "pd")
    assert M.is_psd is False
    assert Product(B.H, M, B).properties == (True, None, None)
    skew = Dense(np.array([[0.0, 1.0], [-1.0, 0.0]]))
    assert Product(B.H, skew, B).is_self_adjoint is None


def test_factors_are_kept_and_opened():
    (A, _), (B, _), (C, _), (D, _) = (bare((2, 2), seed=seed) for seed in range(4))
    assert (A @ B).factors == (A, B)
    for product in (A @ B @ C @ D, A @ (B @ (C @ D)), (A @ B) @ (C @ D)):
        assert product.factors == (A, B, C, D)


def test_a_rule_joins_at_the_seam():
    (A, a), (D, d) = bare((6, 6)), bare((6, 6), seed=1)
    K, L = (Kronecker(positive(2, seed=seed), positive(3, seed=seed)) for seed in (2, 3))
    dense = a @ K.to_dense() @ L.to_dense() @ d
    for product in ((A @ K) @ (L @ D), A @ K @ L @ D, A @ (K @ (L @ D)), (A @ K) @ L @ D, A @ (K @ L) @ D):
        agree(product, dense, kind_of=Product)
        assert [type(factor) for factor in product.factors] == [Bare, Kronecker, Bare]


def test_what_is_joined_joins_its_neighbours():
    K, L, M, N = (Kronecker(positive(2, seed=seed), positive(3, seed=seed)) for seed in range(4))
    (A, a), d = bare((6, 6)), np.arange(1.0, 7.0)
    assert type((K @ L) @ (M @ N)) is Kronecker
    inner = Diagonal(d) @ (Diagonal(d) @ A)
    agree(inner, np.diag(d**2) @ a, kind_of=Product)
    assert [type(factor) for factor in inner.factors] == [Diagonal, Bare]
    collapsed = (A @ Diagonal(d)) @ (Diagonal(1 / d) @ A)
    close(collapsed.to_dense(), a @ a)
    assert [type(factor) for factor in collapsed.factors] == [Bare, Diagonal, Bare]


def test_a_seam_that_is_formed_is_multiplied_into_its_neighbour():
    K, D = KhatriRao(normal((2, 2)), normal((3, 2), seed=1)), Dense(normal((2, 2), seed=2))
    assert isinstance(D @ K.H, Product)
    agree((D @ K.H) @ K, D.array @ K.to_dense().T @ K.to_dense(), kind_of=Dense)


def test_the_identity_and_factors_vanish_from_chains():
    (A, a), (B, b) = bare((3, 3)), bare((3, 3), seed=1)
    eye = Identity(3, like=A)
    assert (A @ B @ eye).factors == (A, B)
    assert (eye @ (A @ B)).factors == (A, B)
    assert (A @ (eye @ B)).factors == (A, B)
    product = (2 * A) @ B @ (3 * eye)
    agree(product, 6 * a @ b, kind_of=Scaled)
    assert (A @ B) @ (2 * B) @ (0.5 * A) is not None
    assert isinstance((A @ B) @ (2 * B) @ (0.5 * A), Product)


def test_real_and_complex_factors_meet_in_complex(lib):
    (A, a), (B, b) = bare((2, 3), lib), bare((3, 2), lib, "complex128", seed=1)
    for product, dense in ((A @ B, a @ b), (B @ A, b @ a), (A @ B @ A, a @ b @ a)):
        assert product.kind == kind(B.array)
        agree(product, dense, lib)


def test_inverse_and_determinant_of_square_factors(lib):
    (A, a), (B, b) = bare((3, 3), lib), bare((3, 3), lib, seed=1)
    inverse = (A @ B).inverse()
    assert isinstance(inverse, Product)
    close(lib.numpy(inverse.to_dense()), np.linalg.inv(a @ b), 1e-11)
    sign, logarithm = (A @ B @ A).slogdet()
    due = np.linalg.slogdet(a @ b @ a)
    assert float(sign) == pytest.approx(due[0])
    assert float(logarithm) == pytest.approx(due[1])


def test_a_square_product_of_rectangular_factors_has_an_inverse_of_its_own():
    (A, a), (B, b) = bare((2, 3)), bare((3, 2), seed=1)
    close((A @ B).inverse().to_dense(), np.linalg.inv(a @ b), 1e-11)
    close((A @ B).logdet() if np.linalg.det(a @ b) > 0 else (A @ B).slogdet()[1], np.linalg.slogdet(a @ b)[1], 1e-12)
    with pytest.raises(SingularMatrixError):
        (B @ A).inverse()


def test_the_inverse_of_a_congruence_is_known_to_be_pd():
    B, M = assume(Bare(positive(3)), "self-adjoint"), assume(Bare(positive(3)), "pd")
    assert (B @ M @ B).inverse().is_pd is True


def test_adjoint_turns_the_order():
    (A, _), (B, _) = bare((3, 2), dtype="complex128"), bare((2, 4), dtype="complex128", seed=1)
    assert (A @ B).H.factors == (B.H, A.H)
    assert (A @ B).H.H.factors == (A, B)


def test_a_wide_product_is_formed_from_its_narrow_end():
    seen = []

    def watch(array):
        def times(x):
            seen.append(x.shape[-1])
            return array @ x

        return times

    a, b = normal((2, 5)), normal((5, 7), seed=1)
    A = Function(watch(a), watch(a.T), shape=(2, 5), dtype="float64")
    B = Function(watch(b), watch(b.T), shape=(5, 7), dtype="float64")
    close((A @ B).to_dense(), a @ b)
    assert max(seen) == 2


def test_inner_sizes_must_agree():
    (A, _), (B, _) = bare((3, 2)), bare((3, 2), seed=1)
    with pytest.raises(ValueError, match=r"Bare\(3×2\) @ 3×2: their inner sizes differ"):
        A @ B
    with pytest.raises(ValueError, match=r"Product\(3×3\) @ 2×3"):
        (A @ B.H) @ B.H


def test_another_precision_is_refused():
    A, B = bare((2, 2))[0], bare((2, 2), dtype="float32")[0]
    for function in (lambda: A @ B, lambda: A @ A @ B, lambda: A + B):
        with pytest.raises(ValueError, match=r"numpy float64.*numpy float32.*astype"):
            function()


def test_repr_lists_the_factors():
    A = Bare(np.eye(2))
    assert repr(A @ A) == "Product(2×2, float64: Bare(2×2), Bare(2×2))"


@given(
    st.lists(st.integers(0, 4), min_size=3, max_size=6), st.integers(0, 2**31), st.sampled_from(fast()), st.randoms()
)
def test_any_bracketing_gives_the_same(sizes, seed, lib, random):
    pairs = [bare((m, n), lib, seed=seed + i) for i, (m, n) in enumerate(zip(sizes, sizes[1:], strict=False))]
    dense = pairs[0][1]
    for _, matrix in pairs[1:]:
        dense = dense @ matrix
    chain = [op for op, _ in pairs]
    while len(chain) > 1:
        i = random.randrange(len(chain) - 1)
        chain[i : i + 2] = [chain[i] @ chain[i + 1]]
    x = normal((sizes[-1], 2))
    found = lib.numpy(chain[0] @ lib.asarray(x))
    bound = np.prod([np.linalg.norm(matrix) for _, matrix in pairs]) * np.linalg.norm(x)
    assert np.linalg.norm(found - dense @ x) <= 1e-13 * bound


def test_columns_are_those_of_the_last_factor():
    (a, one), (b, two) = bare((4, 3)), bare((3, 5), seed=1)
    chosen = rules.columns(Product(a, b), [4, 0])
    assert type(chosen) is Product
    assert chosen.factors[0] is a
    np.testing.assert_allclose(chosen.to_dense(), (one @ two)[:, [4, 0]], atol=1e-13)
