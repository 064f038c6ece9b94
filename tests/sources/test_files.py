"""What is written is read: every kind of layer, every library, both kinds of file."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given

import kronlin as kl
from kronlin.sources import files, numpy_mlp
from tests.libraries import NUMPY, TORCH
from tests.nets import layer_lists, tiny_layers
from tests.networks import problems

SUFFIXES = [
    ".npz",
    pytest.param(
        ".safetensors",
        marks=pytest.mark.skipif(find_spec("safetensors") is None, reason="safetensors is not installed"),
    ),
]
EACH = pytest.mark.parametrize("suffix", SUFFIXES)


def gradient_of(layers, lib=NUMPY, dtype="float64"):
    p = sum(layer.parameters for layer in layers)
    return lib.asarray(np.arange(p) / p, dtype)


def same(found, wanted, lib=NUMPY):
    (layers, gradient, loss), (wanted_layers, wanted_gradient, wanted_loss) = found, wanted
    assert [repr(layer) for layer in layers] == [repr(layer) for layer in wanted_layers]
    for one, two in zip(layers, wanted_layers, strict=True):
        np.testing.assert_array_equal(lib.numpy(one.inputs), lib.numpy(two.inputs))
        np.testing.assert_array_equal(lib.numpy(one.output_gradients), lib.numpy(two.output_gradients))
    np.testing.assert_array_equal(lib.numpy(gradient), lib.numpy(wanted_gradient))
    assert loss == wanted_loss
    assert isinstance(loss, float)


@EACH
@given(problem=problems(most=2))
def test_what_a_net_hands_over_comes_back(tmp_path_factory, suffix, problem):
    collected = numpy_mlp.collect(*problem)
    path = tmp_path_factory.getbasetemp() / f"net{suffix}"
    files.write(path, *collected)
    same(files.read(path), collected)


@EACH
@given(layers=layer_lists())
def test_layers_without_names_and_views(tmp_path_factory, suffix, layers):
    """Arrays in another order of memory are the same arrays."""
    turned = [
        kl.LayerStatistics(np.asfortranarray(layer.inputs), layer.output_gradients[::-1], layer.name)
        for layer in layers
    ]
    path = tmp_path_factory.getbasetemp() / f"views{suffix}"
    collected = (turned, gradient_of(turned), -1e300 / 3)
    files.write(path, *collected)
    same(files.read(path), collected)


@EACH
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_on_every_library(lib, tmp_path, suffix, dtype):
    layers = tiny_layers(lib, dtype)
    collected, path = (layers, gradient_of(layers, lib, dtype), 0.1), tmp_path / f"run{suffix}"
    if (suffix, dtype) == (".safetensors", "complex128"):
        with pytest.raises(ValueError, match=r"no complex128, of which gradient \(12,\) is: write an .npz file"):
            files.write(path, *collected)
        assert not list(tmp_path.iterdir())
        return
    files.write(path, *collected)
    found = files.read(path, to=collected[1])
    assert all(lib.owns(x) for x in (found[0][0].inputs, found[0][1].output_gradients, found[1]))
    same(found, collected, lib)
    assert files.read(path)[1].dtype == np.dtype(dtype)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_to_a_library_by_its_name(tmp_path):
    layers = tiny_layers(NUMPY)
    files.write(tmp_path / "run.npz", layers, gradient_of(layers), 1.0)
    found = files.read(tmp_path / "run.npz", to="torch")
    assert TORCH.owns(found[0][0].inputs)
    assert TORCH.owns(found[1])


def test_what_is_read_is_ready_for_the_algebra(tmp_path):
    layers = tiny_layers(NUMPY)
    files.write(tmp_path / "run.npz", layers, gradient_of(layers), 1.0)
    found, gradient, _ = files.read(tmp_path / "run.npz")
    np.testing.assert_array_equal(kl.fisher(found) @ gradient, kl.fisher(layers) @ gradient)


def test_an_error_names_the_file(tmp_path):
    path = tmp_path / "run.npz"
    np.savez(path, metadata="{}", gradient=np.zeros(6))
    with pytest.raises(kl.FileFormatError, match=r"run.npz: its metadata is '\{\}', where an object with"):
        files.read(path)


def test_what_does_not_belong_together_is_not_written(tmp_path):
    layers = tiny_layers(NUMPY)
    with pytest.raises(ValueError, match=r"the gradient has shape \(3,\), where \(12,\) is expected"):
        files.write(tmp_path / "run.npz", layers, np.zeros(3), 1.0)
    assert not list(tmp_path.iterdir())
