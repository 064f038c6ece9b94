"""PyTorch behind the wall; a device is asked for by name only where PyTorch sees one."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from kronlin.arrays import cholesky, library_named, to_numpy
from tests.arrays.triangles import check_triangular_solves
from tests.libraries import TORCH
from tests.matrices import DTYPES

torch = pytest.importorskip("torch")
library = library_named("torch")


@pytest.mark.parametrize("dtype", DTYPES)
def test_triangular_solves(dtype):
    check_triangular_solves(TORCH, dtype)


def test_a_lazy_conjugate_and_a_tensor_with_history_come_home():
    x = torch.tensor([[1 + 2j, 3 - 1j]])
    assert np.array_equal(to_numpy(x.mH), np.array([[1 - 2j], [3 + 1j]]))
    y = torch.ones(2, dtype=torch.float64, requires_grad=True)
    assert np.array_equal(to_numpy(2 * y), [2, 2])


def test_a_copy_does_not_share_memory():
    x = torch.ones(2, dtype=torch.float64)
    to_numpy(x)[0] = 7
    assert x[0] == 1


@pytest.mark.parametrize("entries", [[float("inf"), -float("inf")], [float("nan")], [float("inf")]])
def test_what_is_not_finite_survives_the_sum(entries):
    x = torch.tensor([1.0, *entries], requires_grad=True)
    assert not library.all_finite(x)
    assert not library.all_finite(x + 1j)


def test_an_overflow_of_the_sum_is_finite():
    assert library.all_finite(torch.full((3,), 3e38))
    assert library.all_finite(torch.full((3,), 3e38 + 3e38j))


def test_host_and_accelerator():
    assert not library.is_accelerator(torch.device("cpu"))
    assert library.is_accelerator(torch.device("cuda", 0))
    assert library.is_accelerator(torch.device("meta"))


def test_a_failed_factorisation_is_known_by_its_error():
    with pytest.raises(library.linalg_errors):
        torch.linalg.cholesky(-torch.eye(2))


def test_devices_are_named(monkeypatch):
    cuda = SimpleNamespace(device_count=lambda: 2, get_device_name=lambda i: f"card {i}")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert library.devices() == ["card 0", "card 1"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device")
def test_on_a_gpu():
    a = torch.tensor([[4.0, 2.0], [2.0, 3.0]], device="cuda")
    lower = cholesky(a)
    assert lower.device == a.device
    assert lower.dtype == torch.float32
    assert np.allclose(to_numpy(lower @ lower.mH), to_numpy(a))
