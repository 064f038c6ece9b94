"""Every way in which the content of a file may be wrong is told, with the name and the shape of the array."""

import json

import numpy as np
import pytest

from kronlin.sources._layer_file import from_content, to_content
from kronlin.storage import FileFormatError

TEXT = {"format": "kronlin layers", "version": 1, "n": 4, "loss": 0.5, "layers": ["one", None]}
ARRAYS = {
    "gradient": np.zeros(8),
    "layers.0.inputs": np.ones((4, 3)),
    "layers.0.output_gradients": np.ones((4, 2, 2)),
    "layers.1.inputs": np.ones((4, 5, 2)),
    "layers.1.output_gradients": np.ones((4, 5, 2, 1)),
}


def test_the_content_of_the_documentation():
    layers, gradient, loss = from_content(json.dumps(TEXT), ARRAYS)
    assert [(a.name, a.n, a.S, a.K, a.d_out, a.d_in) for a in layers] == [("one", 4, 1, 2, 2, 3), (None, 4, 5, 2, 1, 2)]
    assert gradient is ARRAYS["gradient"]
    assert loss == 0.5
    text, arrays = to_content(layers, gradient, loss)
    assert json.loads(text) == TEXT
    assert set(arrays) == set(ARRAYS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "kronlin operator"}, "where an object with .* is expected"),
        ({"version": 2}, "version 2 of the format, and this kronlin reads version 1: update kronlin"),
        ({"version": True}, "its metadata has version = True"),
        ({"n": 4.0}, "its metadata has n = 4.0; expected are a version and n"),
        ({"n": 5}, r"layers.0.inputs has shape \(4, 3\), where \(n, ...\) with n = 5 is expected"),
        ({"loss": "low"}, "its metadata has loss = 'low'"),
        ({"loss": float("nan")}, "the loss is nan, where a finite float is expected"),
        ({"layers": 2}, "its metadata has layers = 2"),
        ({"layers": ["one", 2]}, "a name or null for each layer"),
        ({"layers": []}, "it also holds layers.0.inputs, .*: with 0 layers in the metadata its arrays are gradient$"),
        ({"layers": ["one"] * 3}, "it lacks layers.2.inputs, layers.2.output_gradients: with 3 layers"),
    ],
)
def test_texts_that_are_wrong(change, message):
    with pytest.raises(FileFormatError, match=message):
        from_content(json.dumps(TEXT | change), ARRAYS)


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_texts_that_are_no_object(text):
    with pytest.raises(FileFormatError, match="its metadata is"):
        from_content(text, ARRAYS)


def test_layers_are_needed():
    text = json.dumps(TEXT | {"layers": []})
    with pytest.raises(FileFormatError, match="layers is empty"):
        from_content(text, {"gradient": np.zeros(0)})


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("gradient", np.zeros(7), r"the gradient has shape \(7,\), where \(8,\) is expected, p = 2·3 \+ 1·2"),
        ("gradient", np.zeros(8, "float32"), "the gradient is numpy float32, where numpy float64 is expected"),
        ("layers.0.inputs", np.ones((3, 4)), r"layers.0.inputs has shape \(3, 4\), where \(n, ...\) with n = 4"),
        ("layers.0.inputs", np.ones(()), r"layers.0.inputs has shape \(\)"),
        ("layers.0.inputs", np.ones((4, 3), int), "layers.0.inputs and layers.0.output_gradients: .* dtype int64"),
        ("layers.0.inputs", np.full((4, 3), np.nan), "layers.0.inputs and .*: inputs of layer 'one' hold NaN"),
        ("layers.1.inputs", np.ones((4, 6, 2)), r"layers.1.inputs and .* S = 6 positions on one side, 5 on the other"),
        ("layers.1.output_gradients", np.ones((4, 5, 3, 1)), r"the layers disagree on K: \[2, 3\]"),
        ("layers.1.input", np.ones(1), "it also holds layers.1.input: with 2 layers"),
    ],
)
def test_arrays_that_are_wrong(name, array, message):
    with pytest.raises(FileFormatError, match=message):
        from_content(json.dumps(TEXT), ARRAYS | {name: array})


def test_a_missing_array():
    arrays = {name: array for name, array in ARRAYS.items() if name != "layers.1.inputs"}
    with pytest.raises(
        FileFormatError, match=r"it lacks layers.1.inputs: with 2 layers in the metadata its arrays are"
    ):
        from_content(json.dumps(TEXT), arrays)
