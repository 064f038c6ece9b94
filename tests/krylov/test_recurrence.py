"""The shared recurrence: its plain form and the callback."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.krylov import cg
from tests.krylov.systems import NETS, net, with_spectrum


@pytest.mark.parametrize("name", NETS)
def test_plain_iterates_are_the_stored_ones(name):
    A, M, _, b, data = net(name)
    iterates = []
    cg(A, b, M=M, rtol=0.0, maxiter=6, callback=iterates.append)
    np.testing.assert_allclose(np.stack(iterates), data["cg_PREC_x"][1:], atol=1e-9)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("scheme", ["AD", "BNN"])
def test_two_level_operators_give_the_stored_iterates(name, scheme):
    A, M, Z, b, data = net(name)
    Q = Z @ np.linalg.solve(Z.T @ A @ Z, Z.T)
    P = np.eye(len(A)) - A @ Q
    two_level = M + Q if scheme == "AD" else P.T @ M @ P + Q
    iterates = []
    cg(A, b, M=(two_level + two_level.T) / 2, rtol=0.0, maxiter=6, callback=iterates.append)
    np.testing.assert_allclose(np.stack(iterates), data[f"cg_{scheme}_x"][1:], atol=1e-9)


def test_products_are_shared_and_counted():
    A = with_spectrum(np.logspace(0, 1, 12))
    widths = []

    def product(x):
        widths.append(x.shape[1])
        return A @ x

    operator = kl.assume(kl.Function(product, shape=A.shape, dtype="float64"), "pd")
    result = cg(operator, np.eye(12)[:, :3])
    assert set(widths) == {3}
    assert len(widths) == result.iterations + 1, "one product a step, one to check the end"
    cg(operator, np.eye(12)[:, :3], np.ones((12, 3)), maxiter=2)
    assert len(widths) == result.iterations + 1 + 4, "one more for the residual of a start"


def test_callback_sees_every_iterate_in_the_shape_of_b():
    A = with_spectrum(np.logspace(0, 1, 12))
    for shape in [(12,), (12, 1), (12, 2)]:
        b = np.random.default_rng(0).standard_normal(shape)
        seen = []
        result = cg(A, b, callback=seen.append)
        assert len(seen) == result.iterations
        assert all(x.shape == shape for x in seen)
        np.testing.assert_array_equal(seen[-1], result.x)
