"""Laws of `KBFGS`: what its inverse is, that it trains a net, its state as arrays, and its errors."""

import dataclasses

import numpy as np
import pytest

import kronlin as kl
from kronlin.operators import BlockDiagonal, Dense, Kronecker
from kronlin.sources.numpy_mlp import MLP, collect
from tests.libraries import NUMPY
from tests.matrices import REAL, each_dtype, eps
from tests.nets import close, random_layers

SIZES = [(3, 2), (3, 2)]


def points(lib=NUMPY, dtype="float64", n=3, S=2, sizes=SIZES):
    """The layers and parameters before and after a step, all random."""
    rng, p = np.random.default_rng(0), sum(a * b for a, b in sizes)
    return [
        part
        for _ in range(2)
        for part in (random_layers(rng, n, 1, sizes, S, lib, dtype), lib.asarray(rng.standard_normal(p), dtype))
    ]


def train(loss, steps, rate, lam, activation="tanh", n=40, dtype="float64"):
    """The losses of some K-BFGS steps on a small net, and every state on the way."""
    rng = np.random.default_rng(0)
    net = MLP((3, 5, 4, 2), activation=activation, seed=1, dtype=dtype)
    x = rng.standard_normal((n, 3)).astype(dtype)
    y = np.sin(x[:, :2] + x[:, 1:]) if loss == "mse" else (x[:, 0] > x[:, 1]).astype(int)
    layers, gradient, risk = collect(net, loss, x, y, fisher="empirical")
    states, risks = [kl.KBFGS.start(layers, lam)], [risk]
    for _ in range(steps):
        step = states[-1].inverse @ gradient
        assert step @ gradient > 0
        moved = net.with_parameters(net.parameters - rate * step)
        new_layers, gradient, risk = collect(moved, loss, x, y, fisher="empirical")
        states.append(states[-1].update(layers, net.parameters, new_layers, moved.parameters))
        net, layers = moved, new_layers
        risks.append(risk)
    return risks, states


# On every library


@each_dtype(REAL)
def test_every_library(lib, dtype):
    sizes = [(2, 2), (2, 2)]  # few shapes, which keeps compiling short
    state, due = (kl.KBFGS.start(p[0], 0.1).update(*p) for p in (points(lib, dtype, sizes=sizes), points(sizes=sizes)))
    gradient = np.arange(1.0, 9.0)
    found = state.inverse @ lib.asarray(gradient, dtype)
    assert lib.owns(found)
    assert found.dtype == lib.asarray(0.0, dtype).dtype
    close(lib.numpy(found), due.inverse @ gradient, 1e3 * eps(dtype))
    assert state.skipped == due.skipped
    again = kl.KBFGS.from_state_dict(state.state_dict(), 0.1)
    np.testing.assert_array_equal(lib.numpy(again.inverse @ lib.asarray(gradient, dtype)), lib.numpy(found))


# What it is


def test_inverse_is_a_block_diagonal_of_kronecker_products():
    state = kl.KBFGS.start(points()[0], 0.1).update(*points())
    inverse = state.inverse
    assert type(inverse) is BlockDiagonal
    assert inverse.is_pd is True
    assert inverse.members == ((0, 1),)
    for block, factors in zip(inverse.blocks, state.factors, strict=True):
        assert type(block) is Kronecker
        assert [type(factor) for factor in block.factors] == [Dense, Dense]
        np.testing.assert_array_equal(block.factors[0].array, factors.H_g)
        np.testing.assert_array_equal(block.factors[1].array, factors.H_a)


@pytest.mark.parametrize("S", [1, 2])
def test_start_is_k_fac_with_the_identity_for_g(S):
    layers, lam = points(S=S)[0], 0.3
    for block, K in zip(kl.KBFGS.start(layers, lam).inverse.blocks, kl.kfac(layers).blocks, strict=True):
        A = S * K.factors[1].to_dense() + (lam * S) ** 0.5 * np.eye(2)
        close(np.linalg.inv(block.to_dense()), np.kron(np.eye(3), A))


def test_one_update_by_its_definition():
    layers, parameters, new_layers, new_parameters = points()
    lam, start = 0.3, kl.KBFGS.start(layers, 0.3, decay=0.5, mu=0.1)
    state = start.update(layers, parameters, new_layers, new_parameters)
    for j, (old, new) in enumerate(zip(start.factors, state.factors, strict=True)):
        part = slice(6 * j, 6 * j + 6)
        z, new_z = (
            np.mean([vector[part].reshape(3, 2) @ a for example in each[j].inputs for a in example], axis=0)
            for each, vector in ((layers, parameters), (new_layers, new_parameters))
        )
        g, new_g = (each[j].output_gradients.mean(axis=(0, 1, 2)) for each in (layers, new_layers))
        due = old.with_inputs(layers[j], lam, 0.5, 100.0).with_outputs(new_z - z, new_g - g, lam, 0.5, 0.1, 100.0)
        for name in ("A", "H_a", "H_g", "s", "y"):
            close(getattr(new, name), getattr(due, name), 1e-13)


@pytest.mark.parametrize("S", [1, 3])
def test_output_layer_with_square_loss(S):
    """There G = I at every position: the change of the gradient is that of the output, and H_g learns 1 / (1 + √(λ/S))."""
    rng, lam = np.random.default_rng(0), 0.4
    a, target = rng.standard_normal((6, S, 4)), rng.standard_normal((6, S, 2))
    weights = rng.standard_normal((2, 2, 4))
    layers = [[kl.LayerStatistics(a, a @ W.T - target)] for W in weights]
    state = kl.KBFGS.start(layers[0], lam).update(layers[0], weights[0].ravel(), layers[1], weights[1].ravel())
    s = ((weights[1] - weights[0]) @ a.mean(axis=(0, 1)))[:, None]
    close(state.factors[0].H_g @ s, s / (1 + (lam / S) ** 0.5), 1e-13)


# Training


@pytest.mark.parametrize("loss", ["mse", "softmax"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_lowers_the_loss_of_a_net(loss, activation):
    risks, states = train(loss, 25, 0.3, 0.1, activation)
    assert all(after < before for before, after in zip(risks, risks[1:], strict=False))
    assert risks[-1] < 0.8 * risks[0]
    for state in states:
        for factors in state.factors:
            for H in (factors.H_a, factors.H_g):
                np.testing.assert_array_equal(H, H.T)
                assert np.linalg.eigvalsh(H)[0] > 0
    assert states[-1].updates == 25
    assert sum(map(sum, states[-1].resets)) == 0


def test_a_net_in_single_precision():
    risks, states = train("mse", 25, 0.3, 0.1, dtype="float32")
    assert states[-1].inverse.dtype == np.float32
    np.testing.assert_allclose(risks, train("mse", 25, 0.3, 0.1)[0], rtol=1e-3)


def test_one_example():
    risks, _ = train("mse", 10, 0.3, 0.1, n=1)
    assert risks[-1] < 0.5 * risks[0]


def test_dead_layers():
    """No inputs, no gradients: nothing can be learnt of H_a, and H_g of a layer that moved nowhere; all stays finite."""
    layers = [kl.LayerStatistics(np.zeros((4, 3)), np.zeros((4, 2)))]
    state = kl.KBFGS.start(layers, 0.25).update(layers, np.zeros(6), layers, np.ones(6))
    assert state.skipped == ((1, 1),)
    assert state.resets == ((0, 0),)
    close(state.inverse.to_dense(), 2 * np.eye(6))


# Its state


def test_is_immutable():
    args = points()
    state = kl.KBFGS.start(args[0], 0.1)
    before = {name: array.copy() for name, array in state.state_dict().items()}
    assert state.update(*args) is not state
    for name, array in state.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.lam = 1.0


def test_state_of_arrays(tmp_path):
    """To a file and back: it goes on as the one that was never stored."""
    args = points()
    state = kl.KBFGS.start(args[0], 0.1, decay=0.5).update(*args)
    state = dataclasses.replace(
        state, factors=tuple(f._replace(skipped=(1 + j, 2), resets=(3, 4)) for j, f in enumerate(state.factors))
    )
    np.savez(tmp_path / "state.npz", **state.state_dict())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        again = kl.KBFGS.from_state_dict(file, 0.1, decay=0.5)
    assert repr(again) == repr(state)
    assert again.skipped == ((1, 2), (2, 2))
    assert again.resets == ((3, 4), (3, 4))
    for one, other in zip(state.update(*args).factors, again.update(*args).factors, strict=True):
        for x, y in zip(one, other, strict=True):
            np.testing.assert_array_equal(x, y)


def test_repr():
    state = kl.KBFGS.start(points()[0], 0.1).update(*points())
    assert repr(state) == "KBFGS(12×12, numpy float64, 2 layers, 1 updates, 0 skipped, 0 resets)"


# Errors


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"lam": 0.0}, r"lam = 0\.0: K-BFGS takes a finite damping > 0"),
        ({"lam": np.inf}, "lam = inf"),
        ({"decay": 1.0}, r"decay = 1\.0: K-BFGS takes 0 <= decay < 1"),
        ({"decay": np.nan}, "decay = nan"),
        ({"mu": 1.0}, r"mu = 1\.0: K-BFGS takes 0 < mu < 1"),
        ({"bound": 0.5}, r"bound = 0\.5: K-BFGS takes bound >= 1"),
    ],
)
def test_options_are_checked(options, match):
    with pytest.raises(ValueError, match=match):
        kl.KBFGS.start(points()[0], **{"lam": 0.1, **options})


def test_layers_are_checked():
    layers, parameters, new_layers, new_parameters = points()
    state, rng = kl.KBFGS.start(layers, 0.1), np.random.default_rng(0)
    with pytest.raises(ValueError, match="layers is empty"):
        kl.KBFGS.start([], 0.1)
    with pytest.raises(ValueError, match="K-BFGS is for real arrays"):
        kl.KBFGS.start(points(dtype="complex128")[0], 0.1)
    with pytest.raises(ValueError, match="the layers are numpy float64 and numpy float32"):
        kl.KBFGS.start([layers[0], points(dtype="float32")[0][0]], 0.1)
    with pytest.raises(
        ValueError, match=r"\[\(2, 3, 1\)\], but this state was started with \[\(3, 2, 2\), \(3, 2, 2\)\]"
    ):
        state.update(random_layers(rng, 3, 1, [(2, 3)]), parameters, new_layers, new_parameters)
    with pytest.raises(ValueError, match=r"\(3, 2, 1\).*this state was started with"):
        state.update(layers, parameters, random_layers(rng, 3, 1, SIZES, 1), new_parameters)
    with pytest.raises(ValueError, match="the layers are numpy float32, but this state is numpy float64"):
        state.update(*points(dtype="float32"))
    with pytest.raises(ValueError, match="3 examples before the step and 4 after it"):
        state.update(layers, parameters, points(n=4)[2], new_parameters)
    with pytest.raises(ValueError, match=r'K = 2 columns.*fisher="empirical"'):
        state.update(random_layers(rng, 3, 2, SIZES, 2), parameters, new_layers, new_parameters)
