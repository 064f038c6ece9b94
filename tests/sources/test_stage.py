"""The interface of a stage, and the law of every stage without a weight: columns are carried by the adjoint."""

import numpy as np
import pytest

from kronlin.sources._activations import ACTIVATIONS
from kronlin.sources._elementwise import Elementwise
from kronlin.sources._permute import Flatten, Permute
from kronlin.sources._reduce import Reduce
from kronlin.sources._stage import Part, Stage, Weightless
from kronlin.sources._unfold import Unfold

STAGES = [
    (Elementwise(ACTIVATIONS["tanh"]), (3, 2)),
    (Flatten(), (2, 3, 4)),
    (Permute((2, 0, 1)), (2, 3, 4)),
    (Reduce("mean", axis=0), (3, 2)),
    (Reduce("sum", axis=(1, 2)), (2, 3, 4)),
    (Reduce("mean", axis=(-1, 0)), (2, 3, 4)),
    (Unfold((2, 3), (1, 2), (1, 2)), (2, 3, 4)),
    (Unfold((2, 2), (3, 3), (0, 0)), (1, 6, 4)),
]


def test_what_must_be_written():
    assert Stage.__abstractmethods__ == {"forward", "backward"}
    assert Part.__abstractmethods__ == {"build"}
    assert Weightless.__abstractmethods__ == {"require", "value", "carry"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("stage", "shape"), STAGES, ids=lambda x: str(x))
def test_columns_are_carried_by_the_adjoint(stage, shape, dtype):
    """`⟨c, Φ′ v⟩ = ⟨Φ′ᵀ c, v⟩` for every column; where Φ is linear, Φ′ v is Φ(v) itself."""
    rng, n, K = np.random.default_rng(0), 3, 2
    h, v = (rng.standard_normal((n, *shape)).astype(dtype) for _ in range(2))
    trace = stage.forward(h)
    change = v * (1 - np.tanh(h) ** 2) if isinstance(stage, Elementwise) else stage.value(v)
    columns = rng.standard_normal((n, K, *trace.output.shape[1:])).astype(dtype)
    g, back = stage.backward(columns, trace)
    assert g is None
    assert back.shape == (n, K, *shape)
    assert trace.output.dtype == back.dtype == dtype
    left = (columns * change[:, None]).reshape(n, K, -1).sum(axis=-1)
    right = (back * v[:, None]).reshape(n, K, -1).sum(axis=-1)
    np.testing.assert_allclose(left, right, rtol=1e-4 if dtype == np.float32 else 1e-12)


def test_a_stage_without_a_weight_is_its_own_part():
    stage = Reduce("sum", axis=0)
    assert stage.build((3, 2), np.random.default_rng(0), float) == (stage,)
    with pytest.raises(ValueError, match="axis = 0 would leave a single number"):
        stage.build((3,), np.random.default_rng(0), float)
