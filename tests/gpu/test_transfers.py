"""What is kept on a device: products and steps of solvers carry nothing to the host, set-ups only their checks."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings

import kronlin as kl
from kronlin.testing.strategies import kinds, operators
from tests.gpu.transfers import counted
from tests.libraries import CUPY, STRICT_DEVICE
from tests.matrices import normal, positive

SHAPES = [(3, 4), (2, 3), (2, 3), (2, 3)]
LOOK = 5


@pytest.fixture(params=["strict", "stand-in", pytest.param("gpu", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest):
    """The second device of array-api-strict, a stand-in for CuPy, and CuPy where there is a GPU."""
    if request.param == "stand-in":
        request.getfixturevalue("fake")
    return STRICT_DEVICE if request.param == "strict" else CUPY


def layers_on(device, shapes=SHAPES, n=6, dtype="float64"):
    """Statistics of layers, on the device."""
    return [
        kl.LayerStatistics(
            device.asarray(normal((n, inputs), dtype, i)), device.asarray(normal((n, outputs), dtype, 9 + i))
        )
        for i, (outputs, inputs) in enumerate(shapes, 1)
    ]


def blocks_on(device, count):
    """Equal Kronecker blocks with positive definite factors."""
    return kl.BlockDiagonal(
        [kl.Kronecker(*(device.asarray(positive(3, seed=2 * i + j)) for j in range(2))) for i in range(count)]
    )


def carried(function: Callable[[], object]) -> list[str]:
    """What a call carries."""
    with counted() as seen:
        function()
    return list(seen)


def test_the_count_sees_every_way(device):
    x = device.asarray([1.0, 2.0])
    xp = device.xp
    ways = [lambda: float(x[0]), lambda: bool(x[0] > 0), lambda: x[x > 1], lambda: kl.arrays.to_numpy(x)]
    ways += [lambda: xp.asarray([1.0], device=x.device), lambda: int(x[0]), lambda: complex(x[0])]
    for way in ways:
        assert len(carried(way)) >= 1
    assert not carried(lambda: xp.sum(x * 2.0 + xp.ones(2, dtype=x.dtype, device=x.device)))
    assert not carried(lambda: float(np.float64(1.0)))


@settings(max_examples=100)
@given(operators(kind=kinds("array_api_strict:device1"), depth=2))
def test_a_further_product_carries_nothing(twin):
    A = twin.op
    x, y = A.kind.ones(A.shape[1]), A.kind.ones(A.shape[0])
    calls = [lambda: A @ x, lambda: A @ A.kind.ones(A.shape[1], 2), lambda: A.H @ y]
    for call in calls:
        call()
    for call in calls:
        assert not carried(call)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_the_usual_operators_carry_nothing(device, dtype):
    layers = layers_on(device, dtype=dtype)
    F, K = kl.fisher(layers), kl.kfac(layers)
    A, M = F.damped(0.1), K.damped(0.1).inverse()
    x, block = (device.asarray(normal((A.shape[1], *more), dtype)) for more in ((), (3,)))
    assert not carried(lambda: F @ x)  # the first time, too
    ready = [F, K, A, M, A.inverse(), kl.factored_damping(K, 0.1).inverse(), kl.ekfac(layers).damped(0.1).inverse()]
    ready += [kl.two_level(A, M, kl.coarse.nicolaides(K), scheme) for scheme in ("AD", "BNN", "A-DEF1", "A-DEF2")]
    for operator in ready:
        for side in (x, block):
            assert device.owns(operator @ side)
            assert not carried(lambda operator=operator, side=side: operator @ side)


@pytest.mark.parametrize("factorise", ["eigh", "Cholesky"])
def test_what_a_factorisation_carries_does_not_grow_with_the_blocks(device, factorise):
    def counts(blocks):
        K = blocks_on(device, blocks)

        def ready():
            inverse = (K.damped(0.1) if factorise == "eigh" else K).inverse()
            return inverse @ K.kind.ones(K.shape[1])

        return len(carried(ready))

    assert counts(3) == counts(12) <= 16


def test_a_kept_dual_solve_carries_only_its_checks(device):
    A = kl.fisher(layers_on(device)).damped(0.1)
    b = device.asarray(normal((A.shape[0],)))
    assert len(carried(lambda: A.solve(b))) <= 8
    assert len(carried(lambda: A.solve(b))) <= 2


@pytest.mark.parametrize("columns", [(), (3,)], ids=["one", "three"])
@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize("solver", [kl.cg, kl.minres])
def test_a_solver_reads_nothing_between_its_looks(device, solver, preconditioned, columns):
    A = kl.Dense(device.asarray(positive(60, condition=1e4)))
    M = kl.two_level(A, A.kind.eye(60), A.kind.eye(60)[:, :2], "BNN") if preconditioned else None
    b, marks = device.asarray(normal((60, *columns))), []
    with counted() as seen:
        solver(A, b, M=M, maxiter=4 * LOOK, rtol=1e-12, check_every=LOOK, callback=lambda x: marks.append(reads(seen)))
    assert len(marks) >= 3 * LOOK
    for step in range(1, 3 * LOOK):
        assert marks[step] - marks[step - 1] == (1 if step % LOOK == 0 else 0)


def reads(seen: list[str]) -> int:
    """Reads so far; what a callback is handed may be scaled by numbers of the host."""
    return sum(not one.startswith("asarray") for one in seen)


def test_double_factors_serve_single_precision(device):
    """Factored in double precision, applied in single: one line, and as accurate as the entries allow."""
    K = kl.Kronecker(*(device.asarray(positive(5, seed=i, condition=1e5).astype("float32")) for i in range(2)))
    M = K.astype("float64").damped(1e-6).inverse().astype("float32")
    x = normal((25,), "float32")
    y = M @ device.asarray(x)
    assert kl.arrays.kind(y).dtype_name == "float32"
    dense = np.kron(*(positive(5, seed=i, condition=1e5).astype("float32").astype("float64") for i in range(2)))
    expected = np.linalg.solve(dense + 1e-6 * np.eye(25), x)
    assert np.linalg.norm(device.numpy(y) - expected) < 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize("rows", [(), (2,)], ids=["one", "two"])
def test_a_product_from_the_right_conjugates_only_the_vectors(fake, monkeypatch, rows):
    a, c, x = (normal(shape, "complex128") for shape in ((5, 3), (3, 3), (*rows, 5)))
    A = kl.LowRank(*map(CUPY.asarray, (a, c, a)))
    given, shapes, conj = CUPY.asarray(x), [], CUPY.xp.conj
    first = given @ A
    monkeypatch.setattr(CUPY.xp, "conj", lambda y: shapes.append(y.shape) or conj(y))
    assert not carried(lambda: given @ A)
    assert set(shapes) <= {(5,), (5, 2), (2, 5)}
    np.testing.assert_allclose(CUPY.numpy(first), x @ a @ c @ a.conj().T, rtol=1e-12)
