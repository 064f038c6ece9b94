"""captured: a recorded function, on a stand-in for CuPy and on a GPU."""

import numpy as np
import pytest

from kronlin.arrays._graph import captured
from tests.gpu import fake_cupy
from tests.gpu.fake_array import TAPES
from tests.matrices import normal


def test_what_is_recorded_is_done_again_with_other_entries(cuda):
    matrix = cuda.asarray(normal((4, 3)))
    launch = captured(lambda x: matrix @ (2.0 * x) + 1.0, cuda.asarray(np.zeros(3)))
    results = []
    for seed in range(3):
        x = cuda.asarray(normal((3,), seed=seed))
        results.append((launch(x), seed))
        np.testing.assert_array_equal(cuda.numpy(x), normal((3,), seed=seed))
    for result, seed in results:  # none is overwritten by a later launch
        np.testing.assert_allclose(cuda.numpy(result), normal((4, 3)) @ (2.0 * normal((3,), seed=seed)) + 1.0)


def test_the_function_is_called_before_and_while_it_is_recorded_only(fake):
    calls = []
    launch = captured(lambda x: calls.append(len(TAPES)) or x + 1.0, fake.asarray([1.0]))
    launch(fake.asarray([2.0]))
    assert calls == [0, 1]
    assert fake_cupy.EVENTS.count("allocate from a pool of its own") == 1


def test_what_reads_the_device_cannot_be_recorded(fake):
    with pytest.raises(RuntimeError, match="__float__"):
        captured(lambda x: x * float(x[0]), fake.asarray([1.0]))
    assert not TAPES
