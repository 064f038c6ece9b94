"""
K-FAC as a posterior
====================

A trained network is one point. Laplace's approximation puts a normal distribution around it, whose precision is the
curvature of the loss there: n examples and a normal prior of precision δ give :math:`P = n F + δ I`. With K-FAC for F
all that is asked of a precision has a closed form: samples by ``P.power(-1/2)``, the evidence of the model by
``P.logdet()``.

The network learns the digits 0 to 7. The digits 8 and 9 are kept from it, to see how sure of them it is.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

import kronlin as kl
from kronlin.sources.numpy_mlp import MLP, collect

images, labels = load_digits(return_X_y=True)
images /= 16
unseen = images[labels > 7]
images, labels = images[labels <= 7], labels[labels <= 7]
order = np.random.default_rng(0).permutation(len(labels))
n = 1000
train, test = order[:n], order[n:]
x, y = images[train], labels[train]

# %%
# The most probable parameters minimise the summed loss and the quadratic of the prior:

start = MLP((64, 16, 8), seed=0)


def most_probable(delta):
    def objective(parameters):
        net = start.with_parameters(parameters)
        risk, _, gradient = net.differentiate("softmax", net.forward(x), y)
        return n * risk + delta / 2 * parameters @ parameters, n * gradient + delta * parameters

    found = minimize(objective, start.parameters, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return start.with_parameters(found.x), -found.fun


# %%
# The evidence
# ------------
#
# The evidence for a prior is the integral of likelihood times prior over all parameters. Laplace's approximation of
# its logarithm takes log det P. For the exact Fisher matrix this costs a factorisation of the size of the parameter
# vector, for K-FAC and EK-FAC the eigenvalues of small factors.


def log_evidence(P, log_joint, delta):
    return log_joint + P.shape[0] / 2 * np.log(delta) - P.logdet() / 2


curvatures = {"exact": kl.fisher, "K-FAC": kl.kfac, "EK-FAC": kl.ekfac}
deltas = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
evidence = {name: [] for name in curvatures}
print("   δ  " + "".join(f"{name:>10}" for name in curvatures))
for delta in deltas:
    net, log_joint = most_probable(delta)
    layers, _, _ = collect(net, "softmax", x, y)
    for name, build in curvatures.items():
        evidence[name].append(log_evidence((n * build(layers)).damped(delta), log_joint, delta))
    print(f"{delta:5}" + "".join(f"{values[-1]:10.1f}" for values in evidence.values()))

for name, values in evidence.items():
    plt.semilogx(deltas, values, "o-", label=name)
plt.xlabel("precision δ of the prior")
plt.ylabel("log evidence")
plt.legend()
plt.show()

# %%
# Predictions
# -----------
#
# We take the prior with the largest evidence by K-FAC. A sample deviates from the most probable parameters by
# :math:`P^{-1/2} z`, with z standard normal. Its outputs are taken to first order in the deviation, because F is the
# curvature of the network made linear there. The Jacobian J of the outputs is at hand: for the squared error,
# whose Hessian is the identity, it is the adjoint of the root of the Fisher matrix.

delta = deltas[int(np.argmax(evidence["K-FAC"]))]
net, _ = most_probable(delta)
P = (n * kl.kfac(collect(net, "softmax", x, y)[0])).damped(delta)
z = np.random.default_rng(1).standard_normal((P.shape[0], 200))
deviations = P.power(-1 / 2) @ z


def softmax(f):
    p = np.exp(f - f.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def plain(x):
    return softmax(net(x))


def averaged(x):
    f = net(x)
    J = kl.fisher(collect(net, "mse", x, np.zeros_like(f))[0]).U.H
    outputs = f[:, :, None] + (J @ deviations).reshape(*f.shape, -1)
    return softmax(outputs).mean(axis=2)


print(f"δ = {delta}, precision {P}")
print("                     accuracy   log loss   confidence: test   unseen   ROC area")
for name, predict in {"most probable": plain, "posterior": averaged}.items():
    p, q = predict(images[test]), predict(unseen)
    accuracy, log_loss = np.mean(p.argmax(axis=1) == labels[test]), -np.log(p[range(len(p)), labels[test]]).mean()
    sure = np.concatenate([p.max(axis=1), q.max(axis=1)])
    area = roc_auc_score(np.arange(len(sure)) < len(p), sure)
    means = p.max(axis=1).mean(), q.max(axis=1).mean()
    print(f"{name:18}{accuracy:11.3f}{log_loss:11.3f}{means[0]:19.3f}{means[1]:10.3f}{area:11.3f}")

# %%
# The confidence is the largest probability; the area under the ROC curve is the chance that a test digit gets more of
# it than an unseen one. Averaging over the posterior lowers the confidence in unseen digits, as it should, and also
# that in the test digits, which costs log loss.
#
# Sources: Ritter, Botev and Barber (2018), "A scalable Laplace approximation for neural networks"; Immer, Korzepa and
# Bauer (2021), "Improving predictions of Bayesian neural nets via local linearization", for the outputs to first order.
