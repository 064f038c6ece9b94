"""
Influence scores
================

Which training examples helped, and which did harm? The influence of example i on a test risk with gradient t is

.. math:: s_i = g_i^T (F + λ I)^{-1} t / n,

to first order the change of that risk when the example, with loss gradient :math:`g_i`, is left out. All scores at once
are ``U.H @ (M @ t) / n``, where the columns of U are the :math:`g_i` and M is the inverse, exact or approximate.

Twenty training labels are wrong here, so that there is something to find.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect

rng = np.random.default_rng(0)
images, labels = load_digits(return_X_y=True)
images /= 16
order = rng.permutation(len(labels))
n, lam = 400, 1e-2
train, test = order[:n], order[n:]
x, y = images[train], labels[train]
wrong = rng.choice(n, size=20, replace=False)
y[wrong] = (y[wrong] + rng.integers(1, 10, size=20)) % 10

# %%
# The network is trained with weight decay λ until the gradient vanishes, so that F + λ I is the Gauss-Newton matrix of
# what was minimised. The same function will train again without one example.


def trained(start, kept):
    def objective(parameters):
        net = start.with_parameters(parameters)
        risk, _, gradient = net.differentiate("softmax", net.forward(x[kept]), y[kept])
        share = kept.sum() / n
        return share * risk + lam / 2 * parameters @ parameters, share * gradient + lam * parameters

    found = minimize(objective, start.parameters, jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-7})
    return start.with_parameters(found.x)


def test_risk(net):
    return net.differentiate("softmax", net.forward(images[test]), labels[test])[0]


everything = np.ones(n, dtype=bool)
net = trained(MLP((64, 16, 10), seed=0), everything)
layers, _, _ = collect(net, "softmax", x, y)
U = kl.fisher(collect(net, "softmax", x, y, fisher="empirical")[0]).U
_, t, _ = collect(net, "softmax", images[test], labels[test])
curvatures = {"exact": kl.fisher(layers), "K-FAC": kl.kfac(layers), "EK-FAC": kl.ekfac(layers)}
inverses = {name: F.damped(lam).inverse() for name, F in curvatures.items()}
scores = {name: U.H @ (M @ t) / n for name, M in inverses.items()}

# %%
# Wrong labels
# ------------
#
# A negative score says that the test risk falls when the example goes. The influence of an example on its own loss,
# :math:`g_i^T M g_i`, needs no test data. How many of the twenty with the most suspicious scores are wrong?

print("found among 20    by the test risk   by the own loss")
for name, M in inverses.items():
    own = (U.H @ M @ U).diagonal()
    found = [np.isin(np.argsort(suspicion)[:20], wrong).sum() for suspicion in (scores[name], -own)]
    print(f"{name:14}{found[0]:20}{found[1]:18}")

# %%
# Left out and trained again
# --------------------------
#
# Twenty-four examples, of large and of small influence, are left out one at a time, and training goes on from where it
# was. Where the slope is 1 the scores have the size of the true changes. K-FAC is another matrix than F: its scores
# rank the examples, and their scale is its own.

chosen = np.argsort(-abs(scores["exact"]))[:240:10]
changes = np.array([test_risk(trained(net, everything & (np.arange(n) != i))) for i in chosen]) - test_risk(net)
print("          correlation   slope")
for name, s in scores.items():
    correlation, slope = np.corrcoef(s[chosen], changes)[0, 1], s[chosen] @ changes / (s[chosen] @ s[chosen])
    print(f"{name:8}{correlation:13.3f}{slope:8.2f}")
    plt.plot(s[chosen], changes, "o", label=name)
plt.axline((0, 0), slope=1, color="gray", linewidth=1)
plt.xlabel("influence score")
plt.ylabel("change of the test risk when left out")
plt.legend()
plt.show()

# %%
# The eight most harmful examples by K-FAC, with the label that each was given:

_, axes = plt.subplots(1, 8, figsize=(8, 1.4), layout="constrained")
for axis, i in zip(axes, np.argsort(scores["K-FAC"]), strict=False):
    axis.imshow(x[i].reshape(8, 8), cmap="gray_r")
    axis.set_title(f"{y[i]}?")
    axis.axis("off")
plt.show()

# %%
# Sources: Koh and Liang (2017), "Understanding black-box predictions via influence functions"; Grosse et al. (2023),
# "Studying large language model generalization with influence functions", for EK-FAC.
