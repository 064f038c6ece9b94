"""
A natural-gradient step for the Poisson equation
================================================

A network u is to satisfy :math:`Δu = f` in the unit square and :math:`u = 0` on its edge. The loss is half the mean
square of the residuals in the interior plus that on the edge, and its Gauss-Newton matrix is
``fisher(interior) + fisher(boundary)``. A natural-gradient step solves with it, damped. Its root has one column for
each point, so the exact solve is one system of that size; ``kfac_pinn`` is the Kronecker-factored approximation.
"""

import matplotlib.pyplot as plt
import numpy as np

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect_pinn


def solution(x):
    return np.sin(np.pi * x).prod(axis=1, keepdims=True)


rng = np.random.default_rng(0)
interior_points = rng.random((300, 2))
along, side = rng.random(80), np.arange(80) % 4
edge_points = np.where(side[:, None] < 2, np.c_[along, side % 2], np.c_[side % 2, along])
data = (interior_points, -2 * np.pi**2 * solution(interior_points), edge_points, np.zeros((80, 1)))

grid = np.stack(np.meshgrid(*2 * [np.linspace(0, 1, 41)]), axis=-1).reshape(-1, 2)


def error(net):
    return np.linalg.norm(net(grid) - solution(grid)) / np.linalg.norm(solution(grid))


# %%
# One step
# --------
#
# The direction is ``-(A.inverse() @ gradient)`` for a damped curvature matrix A. Of twelve lengths, each half of the
# one before, the one with the smallest loss is taken. The gradient itself is the third direction, with the identity
# for A.


def exact(interior, boundary):
    return (kl.fisher(interior) + kl.fisher(boundary)).damped(1e-5)


def kfac(interior, boundary):
    return kl.per_factor_damping(kl.kfac_pinn(interior, boundary), 1e-2)


def gradient_only(interior, boundary):
    return kl.Identity(start.parameters.size, like=start.parameters)


def step(net, curvature):
    interior, boundary, gradient, _ = collect_pinn(net, *data)
    direction = -(curvature(interior, boundary).inverse() @ gradient)
    tried = [net.with_parameters(net.parameters + 0.5**k * direction) for k in range(12)]
    losses = [collect_pinn(each, *data)[3] for each in tried]
    best = int(np.argmin(losses))
    return tried[best], losses[best]


start = MLP((2, 24, 24, 1), seed=1)
interior, boundary, _, loss = collect_pinn(start, *data)
print(exact(interior, boundary), kfac(interior, boundary), sep="\n")

# %%
# Twenty steps
# ------------
#
# All three from the same network:

methods = {"gradient": gradient_only, "K-FAC": kfac, "exact": exact}
_, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for name, curvature in methods.items():
    net, losses = start, [loss]
    for _ in range(20):
        net, after = step(net, curvature)
        losses.append(after)
    left.semilogy(losses, label=name)
    print(f"{name:10} loss {losses[1]:.1e} after one step, {losses[-1]:.1e} after twenty   error {error(net):.1e}")
left.set(xlabel="step", ylabel="loss")
left.legend()
right.set_title("u minus the solution, exact steps")
plt.colorbar(right.imshow((net(grid) - solution(grid)).reshape(41, 41), extent=(0, 1, 0, 1), origin="lower"))
plt.show()

# %%
# The error is that on a grid, relative to the solution :math:`\sin(πx_1)\sin(πx_2)`.
#
# Sources: Müller and Zeinhofer (2023), "Achieving high accuracy with PINNs via energy natural gradient descent";
# Dangel, Müller and Zeinhofer (2024), "Kronecker-factored approximate curvature for physics-informed neural
# networks".
