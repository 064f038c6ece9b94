"""Trials of the reference source, to which one law at a time is put."""

from kronlin.sources import numpy_mlp
from kronlin.sources._losses import LOSSES
from kronlin.sources._positions import PerPosition
from kronlin.testing.source_laws._trial import Trial
from tests.testing.source_laws.faults import FAULTS, PERCEPTRON


def trial(collect=numpy_mlp.collect, problem=PERCEPTRON, head=True, scale=1.0, twin=None, rtol=None):
    """A source on a network with data."""
    net, loss, x, y = problem
    head = PerPosition(LOSSES[loss]) if head else None
    arguments = (net.parameters, loss, x.copy(), y, lambda model, x: model(x), head, scale, twin, rtol)
    return Trial(collect, net.with_parameters, *arguments)


def faulty(title, **options):
    """The same with a planted mistake."""
    fault = next(fault for fault in FAULTS if fault.title == title)
    return trial(fault.make(numpy_mlp.collect), fault.problem, **options)
