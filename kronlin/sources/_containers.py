"""Two kinds of file for named arrays beside a line of text: .npz and .safetensors."""

import os
from collections.abc import Callable, Mapping
from typing import IO, Any
from zipfile import BadZipFile, is_zipfile

import numpy as np

from kronlin.arrays import optional_import
from kronlin.storage import FileFormatError
from kronlin.storage._whole import whole_file

METADATA = "metadata"
"""The name of the text: an entry of the .npz file, a key of the metadata of the .safetensors file."""

Arrays = dict[str, np.ndarray[Any, Any]]
Path = str | os.PathLike[str]


def read_container(path: Path) -> tuple[str, Arrays]:
    """Return the text and the arrays of a file. Nothing in it is run: no pickle.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: it is damaged, or has no text.
        ImportError: the library safetensors is missing.
        ValueError: the name of the file says neither.
    """
    reader = _READERS[_suffix(path)]
    with open(path, "rb"):  # a missing file is told as such
        pass
    try:
        text, arrays = reader(os.fspath(path))
    except (FileFormatError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise FileFormatError(f"{os.fspath(path)} cannot be read: {error}") from error
    if text is None:
        raise FileFormatError(f"{os.fspath(path)} has no {METADATA!r}; it holds {_listed(arrays)}")
    return text, {name: _native(np.asarray(array)) for name, array in arrays.items()}


def write_container(path: Path, text: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write a file, whole or not at all.

    Raises:
        ImportError: the library safetensors is missing.
        ValueError: the name of the file says neither, or it cannot hold arrays of that dtype.
    """
    writer = _WRITERS[_suffix(path)]
    with whole_file(path) as file:
        writer(file, text, {name: np.asarray(array, order="C") for name, array in arrays.items()})


def _suffix(path: Path) -> str:
    suffix = os.path.splitext(os.fsdecode(path))[1].lower()
    if suffix not in _READERS:
        raise ValueError(f"{os.fspath(path)}: the name of the file must end in {' or '.join(_READERS)}")
    return suffix


def _read_npz(path: str) -> tuple[str | None, Arrays]:
    if not is_zipfile(path):
        raise BadZipFile("it is no .npz file, or is cut short")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}  # an entry that is no array comes as bytes
    text = arrays.pop(METADATA, None)
    if isinstance(
        text, np.ndarray
    ):  # of a string, which numpy.savez takes, or of bytes, which every language can write
        text = str(text) if text.dtype.kind == "U" else text.tobytes()
    return text.decode() if isinstance(text, bytes) else text, arrays


def _write_npz(file: IO[bytes], text: str, arrays: Arrays) -> None:
    entries: dict[str, Any] = {METADATA: np.frombuffer(text.encode(), np.uint8), **arrays}
    np.savez(file, **entries)


def _read_safetensors(path: str) -> tuple[str | None, Arrays]:
    with optional_import("safetensors", extra="safetensors").safe_open(path, framework="numpy") as file:
        return (file.metadata() or {}).get(METADATA), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _write_safetensors(file: IO[bytes], text: str, arrays: Arrays) -> None:
    for name, array in arrays.items():
        if array.dtype == np.complex128:
            raise ValueError(f"safetensors has no complex128, of which {name} {array.shape} is: write an .npz file")
    save = optional_import(
        "safetensors.numpy", extra="safetensors"
    ).save  # takes the memory as it is, in whatever order
    file.write(save(arrays, metadata={METADATA: text}))


def _native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers in the byte order of this machine."""
    return np.asarray(array, array.dtype.newbyteorder("="))


def _listed(arrays: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, arrays)) or "nothing"


_READERS: dict[str, Callable[[str], tuple[str | None, Arrays]]] = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
}
_WRITERS: dict[str, Callable[[IO[bytes], str, Arrays], None]] = {
    ".npz": _write_npz,
    ".safetensors": _write_safetensors,
}
