"""Every approximation of the Fisher matrix that is made of the layers of a net."""

import kronlin as kl

MEMBERS = {
    "K-FAC": kl.kfac,
    "K-FAC reduce": lambda layers: kl.kfac(layers, "reduce"),
    "EK-FAC": kl.ekfac,
    "TK-FAC": kl.tkfac,
    "KPSVD": kl.kpsvd,
    "KPSVD 2": lambda layers: kl.kpsvd(layers, rank=2),
    "K-FAC corrected": kl.kfac_corrected,
    "mini-block": kl.mini_block_fisher,
    "diagonal": kl.diagonal_fisher,
    "Shampoo": kl.shampoo,
    "FOOF": kl.foof,
    "exact blocks": kl.block_diagonal_fisher,
}
"""Every approximation of a Fisher matrix from the layers of a net."""
