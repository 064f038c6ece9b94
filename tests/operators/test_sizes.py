"""Operators with entries of extreme size: what is representable is computed, without overflow and underflow."""

import numpy as np
import pytest

import kronlin as kl
from tests.libraries import NUMPY
from tests.matrices import each_dtype, eps, hermitian, normal, positive

SIZES = {"float32": (1e30, 1e-30), "complex64": (1e30, 1e-30)}


def made(lib, dtype, size):
    """One operator of each structure, all entries times `size`."""
    real = dtype.replace("complex64", "float32").replace("complex128", "float64")

    def array(x, dtype=dtype):
        return lib.asarray((x * size).astype(dtype))

    q = lib.asarray(np.linalg.qr(normal((4, 4), dtype))[0].astype(dtype))
    w = array(np.arange(1.0, 5.0), real)
    pd = kl.assume(kl.Dense(array(positive(4, dtype))), "pd")
    small = kl.assume(kl.Dense(lib.asarray(positive(2, dtype))), "pd")
    u = lib.asarray((normal((4, 2), dtype) * size**0.5).astype(dtype))
    return {
        "Dense, pd": pd,
        "Dense, indefinite": kl.Dense(array(hermitian(4, dtype))),
        "Dense, general": kl.Dense(array(normal((4, 4), dtype))),
        "Diagonal": kl.Diagonal(array(np.arange(1.0, 5.0))),
        "Scaled": size * kl.Kronecker(small, small),
        "Kronecker": kl.Kronecker(kl.assume(kl.Dense(array(positive(2, dtype))), "pd"), small),
        "Spectral": kl.Spectral(q, w),
        "Spectral with a rest": kl.Spectral(q[:, :2], w[:2], rest=size),
        "BlockDiagonal": kl.BlockDiagonal([pd, small * size]),
        "LowRank, damped": kl.LowRank(u).damped(size),
    }


def numbers(lib, op, size):
    """What is asked of an operator, in units of `size`; logarithms as they are."""
    n = op.shape[0]
    b = lib.asarray(normal((n, 2), op.kind.dtype_name))

    def seen(x, power=1):
        x = np.asarray(lib.numpy(x)).astype(np.complex128)
        return x / size if power == 1 else x * size

    return {
        "norm": seen(op.norm()),
        "trace": seen(op.trace()),
        "diagonal": seen(op.diagonal()),
        "eigenvalues": seen(op.eigvalsh()) if op.is_self_adjoint else np.zeros(1),
        "logarithm": np.asarray(lib.numpy(op.slogdet()[1])) - n * np.log(size),
        "sign": np.asarray(lib.numpy(op.slogdet()[0])),
        "solution": seen(op.solve(b), -1),
        "inverse": seen(op.inverse().to_dense(), -1),
        "norm of the inverse": seen(op.inverse().norm(), -1),
        "pseudo-inverse": seen(op.pinv().to_dense(), -1),
    }


@each_dtype()
@pytest.mark.parametrize("damped", [False, True])
def test_units_do_not_matter(lib, dtype, damped):
    if lib.name == "jax":
        pytest.skip("JAX compiles each of the sixty calls; the kernels are the same")
    for size in SIZES.get(dtype, (1e150, 1e-150, 1e250, 1e-250)):
        plain, extreme = made(lib, dtype, 1.0), made(lib, dtype, size)
        for name, op in extreme.items():
            one = plain[name].damped(0.5) if damped else plain[name]
            op = op.damped(0.5 * size) if damped else op
            assert op.properties == one.properties, name
            expected = numbers(lib, one, 1.0)
            for what, found in numbers(lib, op, size).items():
                scale = max(1.0, float(abs(expected[what]).max()), 4 * abs(np.log(size)) * (what == "logarithm"))
                assert np.all(np.abs(found - expected[what]) <= 1e3 * eps(dtype) * scale), f"{what} of {name} × {size}"


@pytest.mark.parametrize("size", [1e-150, 1e-10, 1.0, 1e150])
def test_indefinite_is_told_from_singular_in_every_unit(size):
    a = kl.Dense(size * np.diag([1.0, -1.0]) + size * np.eye(2)[::-1])
    assert float(a.inverse().norm()) * size == pytest.approx(1.0, rel=1e-12)
    a = kl.assume(a, "psd")
    with pytest.raises(kl.NotPositiveDefiniteError):
        a.inverse()


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_the_norm_of_an_updated_operator(size):
    u = normal((9, 2))
    op = kl.LowRank(u, kl.Diagonal(size * np.ones(2))).damped(size)
    assert float(op.norm()) / size == pytest.approx(np.linalg.norm(u @ u.T + np.eye(9)), rel=1e-12)
    assert NUMPY.owns(op.norm())
