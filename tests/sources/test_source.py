"""What a source hands over must belong together."""

import inspect

import numpy as np
import pytest

from kronlin.curvature import LayerStatistics
from kronlin.sources import Source, numpy_mlp
from kronlin.sources._source import FISHERS, checked_collected, require_options

LAYER = LayerStatistics(np.ones((4, 3)), np.ones((4, 2, 2)), name="one")
GRADIENT = np.zeros(6)


def test_the_reference_source_takes_the_arguments_of_the_protocol_in_that_order():
    wanted = list(inspect.signature(Source.__call__).parameters.values())[1:]
    found = list(inspect.signature(numpy_mlp.collect).parameters.values())
    assert [p.name for p in found[: len(wanted)]] == [p.name for p in wanted]
    assert [p.default for p in found[: len(wanted)]] == [p.default for p in wanted]
    assert all(p.default is not p.empty for p in found[len(wanted) :])


def test_options():
    for fisher in FISHERS:
        require_options(fisher)
    for unsupported in ("error", "columns", "omit"):
        require_options("mc", 3, unsupported)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("exact",), "unknown fisher 'exact': choose one of 'type-2', 'mc', 'empirical'"),
        (("mc", 1, "skip"), "unknown unsupported 'skip': choose one of 'error', 'columns', 'omit'"),
        (("mc", 0), "samples = 0: at least one label per example"),
        (("type-2", 2), "samples = 2 has no meaning for fisher='type-2', only for fisher='mc'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        require_options(*options)


def test_what_belongs_together_passes():
    layers, gradient, loss = checked_collected([LAYER, LAYER], np.zeros(12), 2)
    assert layers == (LAYER, LAYER)
    assert gradient.shape == (12,)
    assert isinstance(loss, float)


@pytest.mark.parametrize(
    ("layers", "gradient", "loss", "error", "message"),
    [
        ([], GRADIENT, 1.0, ValueError, "layers is empty"),
        ([np.ones(3)], GRADIENT, 1.0, TypeError, "sequence of LayerStatistics"),
        ([LAYER, LayerStatistics(np.ones((3, 1)), np.ones((3, 2, 1)))], np.zeros(7), 1.0, ValueError, "disagree on n"),
        (
            [LAYER, LayerStatistics(np.ones((4, 1), "float32"), np.ones((4, 2, 1), "float32"))],
            np.zeros(7),
            1.0,
            ValueError,
            r"of two kinds, LayerStatistics\('one'.*numpy float64\) and LayerStatistics\(.*numpy float32\)",
        ),
        ([LAYER], [0.0] * 6, 1.0, TypeError, r"the gradient is a list, where an array \(6,\) is expected"),
        ([LAYER], np.zeros((2, 3)), 1.0, ValueError, r"has shape \(2, 3\), where \(6,\) is expected, p = 2·3"),
        ([LAYER], np.zeros(6, "float32"), 1.0, ValueError, "is numpy float32, where numpy float64 is expected"),
        ([LAYER], np.full(6, np.inf), 1.0, ValueError, r"the gradient \(6,\) holds NaN or Inf"),
        ([LAYER], GRADIENT, float("nan"), ValueError, "the loss is nan, where a finite float is expected"),
        ([LAYER], GRADIENT, np.zeros(1), ValueError, "the loss is array"),
        ([LAYER], GRADIENT, True, ValueError, "the loss is True"),
    ],
)
def test_what_does_not_belong_together(layers, gradient, loss, error, message):
    with pytest.raises(error, match=message):
        checked_collected(layers, gradient, loss)
