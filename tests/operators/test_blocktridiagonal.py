"""BlockTridiagonal: three bands, their products, and what is known of the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Zero, rules
from kronlin.operators.substitution import BlockSubstitution
from kronlin.testing import check_operator
from tests.libraries import STRICT_DEVICE
from tests.matrices import adjoint, each_dtype, normal, positive
from tests.operators.laws import check, close

FORMS = ("adjoint", "both", "upper", "lower")


def bands(sizes, form, dtype="float64", seed=0):
    """The arguments of a well-conditioned BlockTridiagonal."""
    count = len(sizes)
    diagonal = [4 * np.eye(n, dtype=dtype) + positive(n, dtype, seed + i) for i, n in enumerate(sizes)]
    upper = [0.5 * normal((sizes[i], sizes[i + 1]), dtype, seed + 20 + i) for i in range(count - 1)]
    lower = [0.5 * normal((sizes[i + 1], sizes[i]), dtype, seed + 40 + i) for i in range(count - 1)]
    if form != "adjoint":
        diagonal = [block + normal(block.shape, dtype, seed + 60 + i) / 2 for i, block in enumerate(diagonal)]
    return {
        "adjoint": (diagonal, upper, "adjoint"),
        "both": (diagonal, upper, lower),
        "upper": (diagonal, upper, None),
        "lower": (diagonal, None, lower),
    }[form]


def matrix(diagonal, upper, lower):
    """The dense matrix of these bands."""
    starts = np.cumsum([0, *map(len, diagonal)])
    places = [slice(a, b) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    dense = np.zeros((starts[-1], starts[-1]), diagonal[0].dtype)
    if isinstance(lower, str):
        lower = [adjoint(block) for block in upper]
    for i, block in enumerate(diagonal):
        dense[places[i], places[i]] = block
    for i in range(len(diagonal) - 1):
        if upper is not None:
            dense[places[i], places[i + 1]] = upper[i]
        if lower is not None:
            dense[places[i + 1], places[i]] = lower[i]
    return dense


def on(lib, band):
    return band if band is None or isinstance(band, str) else [lib.asarray(block) for block in band]


@each_dtype()
@pytest.mark.parametrize("form", FORMS)
def test_laws(lib, dtype, form):
    arguments = bands([2, 1, 2], form, dtype)
    check(kl.BlockTridiagonal(*(on(lib, band) for band in arguments)), matrix(*arguments), lib)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=5), st.sampled_from(FORMS), st.integers(0, 99))
def test_laws_for_any_partition(sizes, form, seed):
    arguments = bands(sizes, form, seed=seed)
    op = kl.BlockTridiagonal(*arguments)
    check_operator(op, matrix(*arguments))
    if form == "adjoint":
        assert op.is_self_adjoint is True


def test_result_types():
    for form in FORMS:
        op = kl.BlockTridiagonal(*bands([2, 3, 2], form))
        for other in (op.H, op.T, 2 * op, -op, op / 2, op + op, op - op, op.damped(1.0), rules.modulus2(op)):
            assert type(other) is kl.BlockTridiagonal
        d = kl.BlockDiagonal([np.eye(2), np.eye(3), np.eye(2)])
        assert type(op + d) is type(d - op) is kl.BlockTridiagonal
        close((d - op).to_dense(), np.eye(7) - op.to_dense())
        assert (type(op.inverse()) is BlockSubstitution) is (form in ("upper", "lower"))
    one, two = kl.BlockTridiagonal(*bands([2, 3], "both")), kl.BlockTridiagonal(*bands([3, 2], "both"))
    assert type(one + two) is not kl.BlockTridiagonal
    close((one + two).to_dense(), one.to_dense() + two.to_dense())
    upper, lower = kl.BlockTridiagonal(*bands([2, 3], "upper")), kl.BlockTridiagonal(*bands([2, 3], "lower"))
    close((upper + lower).to_dense(), upper.to_dense() + lower.to_dense())
    assert type((upper + lower).inverse()) is not BlockSubstitution


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_self_adjointness_is_kept_by_what_keeps_it(dtype):
    op = kl.BlockTridiagonal(*bands([2, 1, 2], "adjoint", dtype))
    assert op.H is op
    for other in (2 * op, -op, op + op, op.damped(1.0), rules.conjugate(op), op.astype("complex128")):
        assert (type(other), other.is_self_adjoint) == (kl.BlockTridiagonal, True)
    definite = kl.assume(op, "pd")
    assert (2 * definite).is_pd is (definite + op.damped(0.0)).is_self_adjoint is (definite + definite).is_pd is True
    assert (-definite).is_psd is False


def test_lower_blocks_made_as_adjoints_are_recognised():
    d, u = [kl.Dense(positive(n)) for n in (2, 1, 2)], [kl.Dense(normal((2, 1))), kl.Dense(normal((1, 2)))]
    assert kl.BlockTridiagonal(d, u, [u[0].H, u[1].H]).is_self_adjoint is True
    assert kl.BlockTridiagonal(d, [u[0], None], [u[0].H, None]).is_self_adjoint is True
    assert kl.BlockTridiagonal(d, u, [u[0].H, normal((2, 1))]).is_self_adjoint is None
    assert kl.BlockTridiagonal(d, u, [u[0].H, None]).is_self_adjoint is None


def test_what_is_known_of_the_diagonal():
    negative = kl.BlockTridiagonal([np.eye(1), kl.Diagonal(-np.ones(1))], [np.eye(1)])
    assert (negative.is_self_adjoint, negative.is_psd, negative.is_pd) == (True, False, False)
    blocks = [kl.assume(kl.Dense(positive(2)), "pd")] * 2
    assert kl.BlockTridiagonal(blocks).is_pd is True
    assert kl.BlockTridiagonal(blocks, [np.eye(2)]).is_pd is None
    assert kl.BlockTridiagonal([normal((2, 2))] * 2, [np.eye(2)]).is_self_adjoint is False
    assert kl.BlockTridiagonal(blocks, [np.eye(2)], None).is_self_adjoint is None


def test_missing_bands_and_blocks():
    d = [np.eye(2), 2 * np.eye(1)]
    for op in (kl.BlockTridiagonal(d), kl.BlockTridiagonal(d, None, None), kl.BlockTridiagonal(d, None, "adjoint")):
        check_operator(op, np.diag([1.0, 1.0, 2.0]))
        assert (op.upper_blocks, op.lower_blocks) == ((), ())
    holed = kl.BlockTridiagonal([np.eye(1)] * 3, [None, np.ones((1, 1))], [np.ones((1, 1)), None])
    check_operator(holed, np.array([[1.0, 0, 0], [1, 1, 1], [0, 0, 1]]))
    assert [type(block) for block in holed.upper_blocks] == [Zero, kl.Dense]


def test_equal_blocks_are_multiplied_in_one_call():
    op = kl.BlockTridiagonal([np.eye(2) * i for i in range(1, 6)], [np.ones((2, 2))] * 4)
    assert [len(band.buckets) for band in op.parts] == [1, 1, 1]


def test_a_block_may_be_block_diagonal_itself():
    inner = kl.BlockDiagonal([2 * np.eye(2), 3 * np.eye(1)])
    op = kl.BlockTridiagonal([inner, inner], [0.5 * np.eye(3)])
    assert op.sizes == [3, 3]
    dense = np.kron(np.eye(2), np.diag([2.0, 2.0, 3.0])) + np.kron(np.array([[0, 0.5], [0.5, 0]]), np.eye(3))
    check_operator(op, dense)
    check_operator(op + op, 2 * dense)


def test_kronecker_blocks_stay_what_they_are():
    k = kl.Kronecker(positive(2), positive(3))
    op = kl.BlockTridiagonal([k, k], [k])
    assert {type(block) for block in (*op.diagonal_blocks, *op.upper_blocks, *op.lower_blocks)} == {kl.Kronecker}
    assert [type(block) for block in op.damped(1.0).diagonal_blocks] == [kl.Spectral] * 2
    check_operator(op, np.kron(np.ones((2, 2)), k.to_dense()))


def test_on_a_device_and_in_another_precision():
    arguments = bands([2, 1, 2], "adjoint")
    moved = kl.BlockTridiagonal(*arguments).to(STRICT_DEVICE.asarray([0.0])).astype("float32")
    assert moved.is_self_adjoint is True
    check_operator(moved, matrix(*arguments))


def test_a_large_one_is_never_formed():
    count, n = 2000, 50
    rng = np.random.default_rng(0)
    d, u = rng.standard_normal((n, n)), rng.standard_normal((n, n))
    op = kl.BlockTridiagonal([d] * count, [u] * (count - 1), None)
    x = rng.standard_normal((count, n))
    expected = x @ d.T
    expected[:-1] += x[1:] @ u.T
    np.testing.assert_allclose(op @ x.ravel(), expected.ravel(), atol=1e-10)
    np.testing.assert_allclose(op.trace(), count * np.trace(d))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "at least one diagonal block"),
        (([np.ones((1, 2))],), "diagonal block 0 is 1×2, not square"),
        (([np.eye(1), np.eye(2)], [np.ones((2, 1))]), "upper block 0 is 2×1, where the diagonal blocks ask for 1×2"),
        (([np.eye(1), np.eye(2)], None, [np.ones((1, 2))]), "lower block 0 is 1×2, .* ask for 2×1"),
        (([np.eye(1)] * 3, [np.eye(1)]), "3 diagonal blocks go with 2 upper blocks, not 1"),
        (([np.eye(1)], None, "transpose"), "lower is \"adjoint\", None or a list of blocks, not 'transpose'"),
        (([np.eye(1), np.eye(1, dtype="float32")],), "mixes numpy float64 with numpy float32"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        kl.BlockTridiagonal(*arguments)
