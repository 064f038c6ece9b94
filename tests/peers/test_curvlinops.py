"""The same matrices as curvlinops-for-pytorch: exact Fisher, K-FAC and EK-FAC, with and without damping.

Last run with version 3.0.1 and PyTorch 2.13.0, where all agree to 1e-14. That version has no nearest Kronecker product
(KFOC). A weight that two modules use is left out: the peer's K-FAC then is that of the last module alone.

PyTorch's losses are c Σ_i ℓ_i with ℓ_i the sum over the outputs of one example and c = 1, or 1/n or 1/(n D) by the
reduction; every curvature is c n times that of kronlin, whose risk is the mean of the ℓ_i.
"""

import warnings

import pytest

import kronlin as kl

pytest.importorskip("torch", reason='torch is not installed: pip install "kronlin[peers]"')
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports uses what PyTorch calls deprecated
    curvlinops = pytest.importorskip(
        "curvlinops",
        reason='curvlinops-for-pytorch (3.0.1 was compared) is not installed: pip install "kronlin[peers]"',
    )

from tests import torch_nets
from tests.torch_nets import nn, torch

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LOSSES = {"mse": nn.MSELoss, "softmax": nn.CrossEntropyLoss, "bernoulli": nn.BCEWithLogitsLoss}
EXACT = {"type-2": curvlinops.GGNLinearOperator, "empirical": curvlinops.EFLinearOperator}
SHARING = pytest.mark.parametrize("sharing", ["expand", "reduce"])
FISHER = pytest.mark.parametrize("fisher", ["type-2", "empirical"])
EACH = pytest.mark.parametrize(
    ("net", "loss", "reduction"),
    [(net, loss, "mean") for net in ("mlp", "conv", "mean") for loss in LOSSES]
    + [
        ("mlp without bias", "softmax", "mean"),
        ("mlp", "mse", "sum"),
        ("conv", "softmax", "sum"),
        ("mean", "bernoulli", "sum"),
    ],
)


class Comparison:
    """One net with data and a loss, and what both sides make of it in the order of PyTorch's parameters."""

    def __init__(self, net, loss, reduction="mean"):
        self.model, self.x = torch_nets.net(net)
        self.f, self.loss = self.model(self.x).detach(), LOSSES[loss](reduction=reduction)
        self.n, f = len(self.f), self.f
        self.y = {"mse": torch.randn_like(f), "bernoulli": (torch.rand_like(f) > 0.5).double()}.get(loss)
        if loss == "softmax":
            self.y = torch.randint(f.shape[1], (self.n,))
        terms = self.n if loss == "softmax" else f.numel()
        self.scale = self.n if reduction == "sum" else self.n / terms
        self.parameters = list(self.model.parameters())
        self.P = torch_nets.layout(self.model).operator(like=self.x)

    def layers(self, fisher):
        if fisher == "type-2":
            return self.layers_of(torch_nets.root_columns(self.loss, self.f))
        return self.layers_of(torch_nets.label_columns(self.loss, self.f, self.y))

    def layers_of(self, columns):
        return torch_nets.layers_of(self.model, self.x, columns)

    def peer(self, cls, **options):
        data = [(self.x, self.y)]
        return cls(self.model, self.loss, self.parameters, data, check_deterministic=False, **options)

    def peer_kfac(self, fisher, sharing, cls=curvlinops.KFACLinearOperator):
        return self.peer(cls, fisher_type=fisher, kfac_approx=sharing, separate_weight_and_bias=False)

    def difference(self, ours, theirs):
        """The relative Frobenius distance of Pᴴ A P and the peer's matrix."""
        theirs = theirs @ torch.eye(self.P.shape[0], dtype=torch.float64)
        return float(torch.linalg.norm((self.P.H @ ours @ self.P).to_dense() - theirs) / torch.linalg.norm(theirs))

    def agree(self, ours, theirs):
        assert self.difference(ours, theirs) < 1e-10


@EACH
@FISHER
def test_exact(net, loss, reduction, fisher):
    it = Comparison(net, loss, reduction)
    it.agree(it.scale * kl.fisher(it.layers(fisher)), it.peer(EXACT[fisher]))


@EACH
@FISHER
@SHARING
def test_kfac(net, loss, reduction, fisher, sharing):
    it = Comparison(net, loss, reduction)
    it.agree(it.scale * kl.kfac(it.layers(fisher), sharing), it.peer_kfac(fisher, sharing))


@EACH
@FISHER
@SHARING
def test_ekfac(net, loss, reduction, fisher, sharing):
    it = Comparison(net, loss, reduction)
    theirs = it.peer_kfac(fisher, sharing, curvlinops.EKFACLinearOperator)
    it.agree(it.scale * kl.ekfac(it.layers(fisher), sharing), theirs)


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_damped_inverses(net):
    """Exact damping of K-FAC and EK-FAC, and factored damping with π by traces."""
    it, lam = Comparison(net, "softmax"), 0.01
    K, theirs = it.scale * kl.kfac(it.layers("type-2")), it.peer_kfac("type-2", "expand")
    inverse = curvlinops.KFACInverseLinearOperator
    it.agree(K.damped(lam).inverse(), inverse(theirs, damping=lam, use_exact_damping=True))
    it.agree(kl.factored_damping(K, lam).inverse(), inverse(theirs, damping=lam, use_heuristic_damping=True))
    E, theirs = (
        it.scale * kl.ekfac(it.layers("type-2")),
        it.peer_kfac("type-2", "expand", curvlinops.EKFACLinearOperator),
    )
    it.agree(E.damped(lam).inverse(), inverse(theirs, damping=lam, use_exact_damping=True))


# Where an example has a loss term for each of S positions, two definitions differ; that of the exact Fisher does not.


def test_outputs_with_positions():
    """K-FAC: kronlin carries back a column for each position and output, the peer one for each output at all positions.

    Where positions do not meet, as here, this is the same for "expand"; "reduce" sums over positions before it squares.
    """
    it = Comparison("sequence", "mse")
    n, S, D = it.f.shape
    layers = it.layers("type-2")
    assert layers[0].K == S * D
    together = it.layers_of(torch_nets.root_columns(it.loss, it.f).reshape(n, S, D, S, D).sum(dim=1))
    assert together[0].K == D
    it.agree(it.scale * kl.fisher(layers), it.peer(curvlinops.GGNLinearOperator))
    assert it.difference(it.scale * kl.fisher(together), it.peer(curvlinops.GGNLinearOperator)) > 0.1
    for columns in (layers, together):
        it.agree(it.scale * kl.kfac(columns), it.peer_kfac("type-2", "expand"))
    it.agree(it.scale * kl.kfac(together, "reduce"), it.peer_kfac("type-2", "reduce"))
    assert it.difference(it.scale * kl.kfac(layers, "reduce"), it.peer_kfac("type-2", "reduce")) > 0.1


def test_empirical_fisher_with_positions():
    """The peer squares the gradient of each loss term, kronlin the sum that belongs to an example, if it is one column."""
    it = Comparison("sequence", "mse")
    n, S, D = it.f.shape
    summed = torch_nets.label_columns(it.loss, it.f, it.y)
    each = torch.eye(S, dtype=torch.float64)[None, :, :, None] * summed
    assert each.shape == (n, S, S, D)
    it.agree(it.scale * kl.fisher(it.layers_of(each)), it.peer(curvlinops.EFLinearOperator))
    assert it.difference(it.scale * kl.fisher(it.layers_of(summed)), it.peer(curvlinops.EFLinearOperator)) > 0.1
    for columns in (each, summed):
        it.agree(it.scale * kl.kfac(it.layers_of(columns)), it.peer_kfac("empirical", "expand"))
    it.agree(it.scale * kl.kfac(it.layers_of(summed), "reduce"), it.peer_kfac("empirical", "reduce"))
