"""captured: a function of one array as a CUDA graph, which one call of the host launches."""

from collections.abc import Callable
from contextlib import suppress

from kronlin.arrays._optional import optional_import
from kronlin.arrays.library import Array


def captured(function: Callable[[Array], Array], example: Array) -> Callable[[Array], Array]:
    """Record what `function` does with an array on a stream of its own, and return what does it again.

    It is called once before, so that all it keeps is there. A graph writes where it wrote when it was recorded: its
    memory comes from a pool of its own, which lives as long as the graph, and input and result are copied.

    Source: NVIDIA, "CUDA C++ Programming Guide" (2025), CUDA graphs.
    """
    cuda = optional_import("cupy", extra="gpu").cuda
    pool, stream = cuda.MemoryPool(), cuda.Stream(non_blocking=True)
    given = example.copy()
    cuda.get_current_stream().synchronize()
    with cuda.using_allocator(pool.malloc), stream:
        function(given)
        stream.begin_capture()
        try:
            result = function(given)
        except BaseException:
            with suppress(Exception):  # the capture is void, and its own error is the one that says why
                stream.end_capture()
            raise
        graph = stream.end_capture()
    stream.synchronize()
    keep = (pool, stream)

    def launch(x: Array, kept: object = keep) -> Array:
        given[...] = x
        graph.launch()  # on the current stream, as the copies are
        return result.copy()

    return launch
