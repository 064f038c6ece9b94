"""SideStreams: independent calls on several CUDA streams, so that small factorisations share the device."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from kronlin.arrays._optional import optional_import


class SideStreams:
    """Threads of the host with a CUDA stream each, made when first needed, one set for each thread that asks.

    A factorisation waits for its own status, so one thread could not keep two streams busy. CuPy hands memory that was
    allocated on a stream out again on that stream alone, without looking who else reads it; therefore the device is
    idle when calls begin and their streams are when they end, and threads of the caller share no stream. The allocator
    of the caller, its device, and its context variables hold in the calls.

    Args:
        width: number of streams.
    """

    def __init__(self, width: int = 4) -> None:
        self.width = width
        self.own = threading.local()

    @property
    def busy(self) -> bool:
        """Whether this thread is one of the side threads: calls inside of a call stay there."""
        return getattr(self.own, "stream", None) is not None

    def run(self, calls: Sequence[Callable[[], Any]], costs: Sequence[float]) -> list[Any]:
        """Return the results of the calls, in order; the dearest begin first, the first error is raised."""
        cuda = optional_import("cupy", extra="gpu").cuda
        number, allocator = cuda.Device().id, cuda.get_allocator()
        cuda.Device(number).synchronize()

        def on_side(call: Callable[[], Any]) -> Any:
            with cuda.Device(number), cuda.using_allocator(allocator), self.own.stream:
                try:
                    return call()
                finally:
                    self.own.stream.synchronize()

        pool = self._pool(number, cuda)
        order = sorted(range(len(calls)), key=lambda i: -costs[i])
        futures = {i: pool.submit(copy_context().run, on_side, calls[i]) for i in order}
        for future in futures.values():
            future.exception()  # all have ended before one of them is read
        return [futures[i].result() for i in range(len(calls))]

    def _pool(self, device: int, cuda: Any) -> ThreadPoolExecutor:
        """The side threads of this thread for a device; they keep their streams and cuSOLVER's handles."""
        pools = self.own.__dict__.setdefault("pools", {})
        if device not in pools:

            def begin() -> None:
                with cuda.Device(device):
                    self.own.stream = cuda.Stream(non_blocking=True)

            pools[device] = ThreadPoolExecutor(self.width, "kronlin", initializer=begin)
        pool: ThreadPoolExecutor = pools[device]
        return pool
