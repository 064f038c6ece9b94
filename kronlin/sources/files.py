"""Files as a source: what a run in any language computed, as arrays with names in an .npz or .safetensors file.

The arrays of L layers with n examples, S positions, K columns each:

==================================  ===============================  =============================================
name                                shape                            meaning
==================================  ===============================  =============================================
``layers.0.inputs``                 (n, d_in), (n, S, d_in)          inputs of the first layer, bias column last
``layers.0.output_gradients``       (n, d_out), (n, K, d_out), or    its output gradients, not divided by n
                                    (n, S, d_out), (n, S, K, d_out)
``layers.1.inputs``, …              as above                         the next layers in the order of the parameters
``gradient``                        (p,)                             ∇h: layer by layer, each [W | b] row by row
==================================  ===============================  =============================================

All of them are float32, or all float64, complex64 or complex128 (which .safetensors has not). Beside them stands a text
called ``metadata``, a JSON object:

``{"format": "kronlin layers", "version": 1, "n": 8, "loss": 0.69, "layers": ["hidden", null]}``

with the number of examples, the loss h, and a name or null for each layer. In an .npz file it is an entry of that name,
either a string or the bytes of its UTF-8 as uint8; in a .safetensors file it is that key of the file's own metadata.
Nothing else may stand in the file, so that a mistyped name is found.
"""

import os
from collections.abc import Sequence
from typing import Any

from kronlin.arrays import Array, convert
from kronlin.curvature import LayerStatistics
from kronlin.sources._containers import read_container, write_container
from kronlin.sources._layer_file import from_content, to_content
from kronlin.sources._source import Collected, checked_collected
from kronlin.storage import FileFormatError

__all__ = ["read", "write"]


def read(path: str | os.PathLike[str], *, to: Any = None) -> Collected:
    """Return `(layers, gradient, loss)` from a file, as `collect` of another source returns them.

    Everything is checked: names, shapes, dtypes, that all belong together, and that every number is finite. There is no
    checksum in the format.

    Args:
        path: an .npz or .safetensors file; the module `kronlin.sources.files` says what stands in it.
        to: the name of an array library, or an array whose library and device are wanted; NumPy if None.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: it is damaged, or an array is missing, too much or does not fit; the message names it.
        ImportError: the library safetensors is missing; the message says what to install.
        ValueError: the name of the file ends in something else.

    >>> import os, tempfile
    >>> import numpy as np
    >>> path = os.path.join(tempfile.mkdtemp(), "run.npz")
    >>> text = '{"format": "kronlin layers", "version": 1, "n": 8, "loss": 0.7, "layers": ["hidden"]}'
    >>> arrays = {"layers.0.inputs": np.ones((8, 3)), "layers.0.output_gradients": np.ones((8, 2))}
    >>> np.savez(path, metadata=text, gradient=np.zeros(5), **arrays)
    >>> read(path)
    Traceback (most recent call last):
    kronlin.storage._archive.FileFormatError: ...: the gradient has shape (5,), where (6,) is expected, p = 2·3
    >>> np.savez(path, metadata=text, gradient=np.zeros(6), **arrays)
    >>> layers, gradient, loss = read(path)
    >>> layers, loss
    ((LayerStatistics('hidden', n=8, S=1, K=1, d_out=2, d_in=3, numpy float64),), 0.7)
    """
    text, arrays = read_container(path)
    try:
        layers, gradient, loss = from_content(text, arrays)
    except FileFormatError as error:
        raise FileFormatError(f"{os.fspath(path)}: {error}") from error
    if to is None:
        return layers, gradient, loss
    moved = (LayerStatistics(convert(a.inputs, to), convert(a.output_gradients, to), a.name) for a in layers)
    return tuple(moved), convert(gradient, to), loss


def write(path: str | os.PathLike[str], layers: Sequence[LayerStatistics], gradient: Array, loss: float) -> None:
    """Write layers, gradient and loss to a file, from which `read` makes the same.

    Arrays of every library are stored, by way of the host. The file appears complete or not at all.

    Args:
        path: a name that ends in .npz or .safetensors.
        layers: the statistics of the layers, in the order of the parameter vector.
        gradient: the gradient (p,) of the loss.
        loss: the loss.

    Raises:
        TypeError: the layers are no `LayerStatistics`, or the gradient is no array.
        ValueError: they do not belong together, a number is not finite, or the file cannot hold them.
        ImportError: the library safetensors is missing; the message says what to install.

    >>> import os, tempfile
    >>> import numpy as np
    >>> from kronlin.sources import numpy_mlp
    >>> collected = numpy_mlp.collect(numpy_mlp.MLP((4, 3, 2)), "mse", np.ones((5, 4)), np.ones((5, 2)))
    >>> path = os.path.join(tempfile.mkdtemp(), "run.npz")
    >>> write(path, *collected)
    >>> layers, gradient, loss = read(path)
    >>> layers[1], loss == collected[2]
    (LayerStatistics('linear1', n=5, S=1, K=2, d_out=2, d_in=4, numpy float64), True)
    """
    write_container(path, *to_content(*checked_collected(layers, gradient, loss)))
