"""The laws of first derivatives name the layer, and look at every one."""

import pytest

from kronlin.testing._case import BrokenLaw
from kronlin.testing.source_laws import _gradient
from tests.testing.source_laws.faults import SOUND
from tests.testing.source_laws.trials import faulty, trial

LAWS = (
    _gradient.value,
    _gradient.gradient,
    _gradient.mean_of_the_empirical_columns,
    _gradient.empirical_columns,
)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("problem", SOUND[::4])
def test_each_holds_alone(law, problem):
    law(trial(problem=problem))


def test_the_layer_is_named():
    with pytest.raises(BrokenLaw, match="∇h · v for a direction in layer 'linear0': expected"):
        _gradient.gradient(faulty("kernel in the order in out"))


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_last_layer_is_looked_at(scale):
    def spoiled(*arguments, **options):
        layers, gradient, loss = trial().collect(*arguments, **options)
        gradient[-1] *= scale
        return layers, gradient, loss

    if scale == 1:
        _gradient.gradient(trial(spoiled))
        return
    with pytest.raises(BrokenLaw, match="a direction in layer 'linear1'"):
        _gradient.gradient(trial(spoiled))


def test_the_example_is_named():
    with pytest.raises(BrokenLaw, match="u_0 · v for a direction in layer 'linear0'"):
        _gradient.empirical_columns(faulty("examples exchanged"))


def test_a_scaled_loss():
    _gradient.value(faulty("loss without its factor", scale=2.0))
    with pytest.raises(BrokenLaw, match="the loss: expected"):
        _gradient.value(faulty("loss without its factor"))
    _gradient.value(faulty("loss without its factor", head=False))
