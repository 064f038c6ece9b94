"""Laws of packing: what comes out is what went in, through any holder of arrays."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.storage import FileFormatError, pack, unpack
from kronlin.testing import strategies
from tests.libraries import TORCH, eager
from tests.storage.test_save import same

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple),
    max_leaves=5,
)


@given(twin=strategies.operators())
def test_every_expression_survives(twin):
    if "Function(" in str(kl.tree(twin.op, width=99)):
        with pytest.raises(TypeError, match=r"cannot save Function\("):
            pack({"A": twin.op}, {})
        return
    operators, values = unpack(pack({"A": twin.op, "B": twin.op}, {}))
    same(operators["A"], twin.op)
    assert operators["B"] is operators["A"]
    assert values == {}


@given(value=PLAIN)
def test_every_plain_value_survives(value):
    state = pack({}, {"value": value})
    assert list(state) == ["structure"]
    assert unpack(state)[1]["value"] == value


def test_only_arrays_of_numbers(tmp_path):
    state = pack({"A": kl.Kronecker(np.eye(2), np.ones((3, 3)))}, {"x": np.arange(3.0)})
    assert {array.dtype.kind for array in state.values()} <= set("ufic")
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        operators, values = unpack(file)
    np.testing.assert_array_equal(operators["A"].to_dense(), np.kron(np.eye(2), np.ones((3, 3))))
    np.testing.assert_array_equal(values["x"], np.arange(3.0))


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_every_library(lib):
    """Arrays come from any library, and the state may go through one."""
    state = pack({"A": kl.Diagonal(lib.asarray([1.0, 2.0], "float32"))}, {"x": lib.asarray([3.0])})
    assert all(isinstance(array, np.ndarray) for array in state.values())
    operators, values = unpack(
        {name: array if array.dtype.kind == "u" else lib.asarray(array) for name, array in state.items()}
    )
    assert str(operators["A"].kind) == "numpy float32"
    np.testing.assert_array_equal(values["x"], [3.0])


def test_a_state_that_is_all_of_torch():
    torch = pytest.importorskip(TORCH.name)
    state = {name: torch.from_numpy(array) for name, array in pack({"A": kl.Diagonal(np.ones(2))}, {}).items()}
    np.testing.assert_array_equal(unpack(state)[0]["A"].entries, np.ones(2))


def broken(change):
    state = pack({"A": kl.Diagonal(np.ones(2))}, {})
    header = json.loads(bytes(state["structure"]))
    change(state, header)
    if "structure" in state:
        state["structure"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    return state


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda state, header: state.pop("structure"), "not made by kronlin"),
        (lambda state, header: state.pop("0"), "cannot be loaded"),
        (lambda state, header: header.update(version=2), "it is version 2"),
        (lambda state, header: header.update(format="x"), "of 'x', not 1 of 'kronlin state'"),
        (lambda state, header: header["operators"][0].update({"class": "os.system"}), "does not know"),
        (lambda state, header: state.update({"0": np.array([1.0, np.nan])}), "NaN, infinite"),
        (lambda state, header: state.update({"0": np.ones(3)}), "to have the shape"),
    ],
)
def test_what_is_damaged_is_refused(change, match):
    with pytest.raises(FileFormatError, match=match):
        unpack(broken(change))
