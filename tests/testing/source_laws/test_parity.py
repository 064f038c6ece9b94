"""Two sources: what is the same passes, and each difference is named."""

from dataclasses import replace

import numpy as np
import pytest

from kronlin.sources import numpy_mlp
from kronlin.testing._case import BrokenLaw
from kronlin.testing.source_laws._parity import parity
from tests.testing.source_laws.faults import SEQUENCE
from tests.testing.source_laws.trials import trial

NET, LOSS, X, Y = SEQUENCE


def twin(change):
    """The reference with other layers, gradient or loss."""
    return lambda fisher: change(*numpy_mlp.collect(NET, LOSS, X, Y, fisher=fisher))


def test_turned_columns_and_other_orders_of_positions_are_the_same():
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]

    def turned(layers, gradient, loss):
        if layers[0].K > 1:
            layers = [replace(a, output_gradients=np.einsum("nsko,kl->nslo", a.output_gradients, Q)) for a in layers]
        other = [
            replace(a, inputs=a.inputs[:, ::-1], output_gradients=a.output_gradients[:, ::-1], name=None)
            for a in layers
        ]
        return other, gradient, loss

    parity(trial(problem=SEQUENCE, twin=twin(turned)))
    parity(trial(problem=SEQUENCE))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layers, gradient, loss: (layers, gradient, loss + 1e-6), "the loss: expected"),
        (lambda layers, gradient, loss: (layers, gradient * (1 + 1e-8), loss), r"the gradient\[0\]: expected"),
        (lambda layers, gradient, loss: (layers[:1], gradient, loss), r"\[\(2, 4\), \(2, 3\)\], those of the other"),
        (
            lambda layers, gradient, loss: ([replace(a, inputs=a.inputs * (1 + 1e-8)) for a in layers], gradient, loss),
            r"Σ x xᵀ of the inputs of LayerStatistics\('linear0'",
        ),
        (
            lambda layers, gradient, loss: (
                [replace(a, output_gradients=a.output_gradients * [1, -1]) for a in layers],
                gradient,
                loss,
            ),
            "Σ x xᵀ of the output_gradients of",
        ),
        (
            lambda layers, gradient, loss: (
                [replace(a, inputs=a.inputs[::-1]) for a in layers],
                gradient,
                loss,
            ),
            "V · U_i U_iᵀ V of type-2",
        ),
    ],
)
def test_what_differs_is_named(change, message):
    with pytest.raises(BrokenLaw, match=message):
        parity(trial(problem=SEQUENCE, twin=twin(change)))
