"""The law of sampled labels passes for many seeds, and sees small mistakes."""

import numpy as np
import pytest

from kronlin.sources import numpy_mlp
from kronlin.testing._case import BrokenLaw
from kronlin.testing.source_laws._samples import sampled_columns
from tests.testing.source_laws.faults import SOUND
from tests.testing.source_laws.trials import faulty, trial


@pytest.mark.parametrize("problem", SOUND)
def test_the_reference_source_passes(problem):
    sampled_columns(trial(problem=problem))


def other_seeds(model, loss, x, y, fisher="type-2", seed=0, shift=0):
    """The reference with other labels."""
    return numpy_mlp.collect(model, loss, x, y, fisher, seed + shift)


def test_it_passes_whatever_is_drawn():
    for shift in range(100):
        sampled_columns(trial(lambda *a, shift=shift, **b: other_seeds(*a, **b, shift=shift)))


def test_ten_percent_too_much_is_seen():
    def larger(model, loss, x, y, fisher="type-2", seed=0):
        layers, gradient, risk = numpy_mlp.collect(model, loss, x, y, fisher, seed)
        if fisher == "mc":
            for layer in layers:
                layer.output_gradients[...] *= np.sqrt(1.1)
        return layers, gradient, risk

    with pytest.raises(BrokenLaw, match=r"v · F v for a direction in layer .* from 4002 labels"):
        sampled_columns(trial(larger))


def test_a_seed_without_effect_is_named():
    with pytest.raises(BrokenLaw, match="the columns are the same for seed = 0 and seed = 1"):
        sampled_columns(faulty("seed not passed on"))
