"""A stand-in for CuPy on machines without a GPU: the names that kronlin and its benchmark use, computed by NumPy.

It shows that the calls fit together and what makes the host wait. It says nothing of CUDA's own results and speed.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import array_api_compat
import numpy as np

from tests.gpu.fake_array import TAPES, WAITS, Device, ndarray, on_device, replay, wait
from tests.gpu.fake_sparse import LinearOperator, csr_matrix

FAULTS = {"eigh": False, "batched eigh": False}
"""Which routines answer wrongly: with CuPy no error is raised unless asked for, and cuSOLVER's Jacobi was wrong."""

EVENTS: list[str] = []
"""What the streams were told."""

_SETTINGS = {"linalg": "ignore"}


def _numpy_names() -> dict[str, Any]:
    """Everything public in NumPy; functions take and return arrays of the device."""
    names: dict[str, Any] = {}
    for name in dir(np):
        found = getattr(np, name)
        if not name.startswith("_") and not isinstance(found, ModuleType):
            is_function = callable(found) and not isinstance(found, type)
            names[name] = on_device(found) if is_function else found
    return names


def asarray(x: Any, dtype: Any = None, **options: Any) -> ndarray:
    """An array on the device; numbers of the host are carried there."""
    if isinstance(x, ndarray):
        return x if dtype in (None, x.dtype) else x.astype(dtype)
    wait("asarray")
    return ndarray(np.array(_read(x), dtype=dtype))


def array(x: Any, dtype: Any = None, **options: Any) -> ndarray:
    """A new array on the device."""
    return x.astype(dtype or x.dtype) if isinstance(x, ndarray) else asarray(x, dtype)


def _read(x: Any) -> Any:
    return [_read(part) for part in x] if isinstance(x, tuple | list) else x.host if isinstance(x, ndarray) else x


def cholesky(a: ndarray) -> ndarray:
    """The factor, or garbage where there is none, as CuPy without `errstate(linalg="raise")`."""
    return _info(lambda: np.linalg.cholesky(a.host), np.tril(a.host))


def inv(a: ndarray) -> ndarray:
    """The inverse, or garbage."""
    return _info(lambda: np.linalg.inv(a.host), np.ones_like(a.host))


def _info(compute: Callable[[], Any], garbage: Any) -> ndarray:
    """What is computed; where that fails an error if it was asked for, and garbage if not."""
    if _SETTINGS["linalg"] == "raise":
        wait("info")
    try:
        return ndarray(compute())
    except np.linalg.LinAlgError:
        if _SETTINGS["linalg"] == "raise":
            raise
        return ndarray(garbage)


def eigh(a: ndarray, UPLO: str = "L") -> tuple[ndarray, ndarray]:
    """Eigenvalues and eigenvectors, wrong where FAULTS says so."""
    w, q = np.linalg.eigh(a.host)
    if FAULTS["batched eigh"] if a.ndim > 2 else FAULTS["eigh"]:
        q[..., 0, :] *= -1
    return ndarray(w), ndarray(q)


def solve(a: ndarray, b: ndarray) -> ndarray:
    """The solution, of stacks that match without broadcasting; garbage where there is none."""
    if a.shape[:-1] != b.shape[: a.ndim - 1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
    return _info(lambda: np.linalg.solve(a.host, b.host), np.ones_like(b.host))


def solve_triangular(a: ndarray, b: ndarray, trans: str = "N", lower: bool = False, **options: Any) -> ndarray:
    """cupyx's takes stacks, which must match."""
    if a.shape[:-1] != b.shape[: a.ndim - 1]:
        raise ValueError("incompatible batch count")
    matrix = a.host.conj().swapaxes(-1, -2) if trans == "C" else a.host
    return ndarray(np.linalg.solve(matrix, b.host) if a.size else b.host)


@contextmanager
def errstate(linalg: str) -> Any:
    """cupyx.errstate, for the errors of linear algebra."""
    before, _SETTINGS["linalg"] = _SETTINGS["linalg"], linalg
    try:
        yield
    finally:
        _SETTINGS["linalg"] = before


@contextmanager
def using_allocator(allocator: str) -> Any:
    """cupy.cuda.using_allocator: noted."""
    EVENTS.append(f"allocate from {allocator}")
    yield


class Stream:
    """cupy.cuda.Stream: everything is done at once, and noted."""

    null: "Stream"
    threads = threading.local()

    def __init__(self, non_blocking: bool = False) -> None:
        self.number = len(EVENTS)

    def __enter__(self) -> "Stream":
        Stream.threads.__dict__.setdefault("current", []).append(self)
        EVENTS.append("enter")
        return self

    def __exit__(self, *error: object) -> None:
        Stream.threads.current.pop()
        EVENTS.append("exit")

    def record(self, event: Any = None) -> "Event":
        """Note an event in the stream."""
        EVENTS.append("record")
        event = event or Event()
        event.seconds = time.perf_counter()
        return event

    def wait_event(self, event: "Event") -> None:
        """Let the stream wait, not the host."""
        EVENTS.append("wait_event")

    def synchronize(self) -> None:
        """Let the host wait."""
        wait("synchronize")

    def begin_capture(self) -> None:
        """Note what is computed from here on."""
        TAPES.append([])

    def end_capture(self) -> SimpleNamespace:
        """A graph that computes it again into the same memory."""
        tape = TAPES.pop()
        return SimpleNamespace(launch=lambda stream=None: replay(tape), upload=lambda stream=None: None)


class Event:
    """cupy.cuda.Event: the clock of the host."""

    seconds = 0.0

    def record(self, stream: Any = None) -> None:
        """Take the time."""
        self.seconds = time.perf_counter()

    def synchronize(self) -> None:
        """Let the host wait."""
        wait("synchronize")


Stream.null = Stream()


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


@cache
def _modules() -> dict[str, Any]:
    """The modules of the stand-in, with array-api-compat's namespace over them; made once, for it is kept by type."""
    names = ("cupy", "cupy.linalg", "cupy.fft", "cupy.cuda", "cupy.cuda.device", "cupyx")
    modules: dict[str, Any] = {name: ModuleType(name) for name in names}
    cupy, linalg, fft, cuda, device, cupyx = modules.values()
    vars(cupy).update(_numpy_names(), ndarray=ndarray, asarray=asarray, array=array, asnumpy=lambda x: x.get())
    vars(cupy).update(linalg=linalg, fft=fft, cuda=cuda, __version__="stand-in")
    for module, original in ((linalg, np.linalg), (fft, np.fft)):
        vars(module).update({name: on_device(getattr(original, name)) for name in original.__all__})
    vars(linalg).update(cholesky=cholesky, eigh=eigh, inv=inv, solve=solve)
    runtime = SimpleNamespace(
        CUDARuntimeError=RuntimeError,
        getDeviceCount=lambda: 1,
        getDeviceProperties=lambda i: {"name": b"stand-in"},
        driverGetVersion=lambda: 12080,
        runtimeGetVersion=lambda: 12080,
    )
    vars(device).update(Device=Device)
    vars(cuda).update(Device=Device, Stream=Stream, ExternalStream=Stream, Event=Event, runtime=runtime)
    vars(cuda).update(get_current_stream=lambda: [Stream.null, *getattr(Stream.threads, "current", [])][-1])
    vars(cuda).update(get_allocator=lambda: "the pool", using_allocator=using_allocator)
    vars(cuda).update(get_elapsed_time=lambda start, end: 1e3 * (end.seconds - start.seconds))
    vars(cupyx).update(errstate=errstate)
    modules["cupyx.scipy.linalg"] = _module("cupyx.scipy.linalg", solve_triangular=solve_triangular)
    modules["cupyx.scipy.sparse"] = _module("cupyx.scipy.sparse", csr_matrix=csr_matrix)
    modules["cupyx.scipy.sparse.linalg"] = _module("cupyx.scipy.sparse.linalg", LinearOperator=LinearOperator)
    return modules


@cache
def _namespace() -> dict[str, ModuleType]:
    """array-api-compat over the stand-in; made once, because what is looked up by the type of an array is kept."""
    import_module("array_api_compat.cupy")
    del array_api_compat.cupy
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("array_api_compat.cupy")}


def install(monkeypatch: Any) -> ModuleType:
    """Put the stand-in where `import cupy` and array-api-compat look, until the test ends; return it."""
    for name in [name for name in sys.modules if name.startswith("array_api_compat.cupy")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(array_api_compat, "cupy", raising=False)
    for name, module in _modules().items():
        module.__spec__ = module.__spec__ or ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module)
    for name, module in _namespace().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(array_api_compat, "cupy", sys.modules["array_api_compat.cupy"], raising=False)
    EVENTS.clear()
    WAITS.clear()
    cupy: ModuleType = sys.modules["cupy"]
    return cupy
