"""The file: a JSON header and NumPy arrays in one zip archive, closed by a checksum, written whole or not at all.

It is an `.npz` file, which `numpy.load` opens. The comment at the end of the archive, which is the end of the file, is
the SHA-256 of every byte before it, in hexadecimal digits.
"""

import hashlib
import json
import os
from typing import IO, Any
from zipfile import ZipFile, ZipInfo

import numpy as np

from kronlin.storage._whole import whole_file

FORMAT, VERSION = "kronlin operator", 1
_HEADER = "kronlin.json"
_DIGITS = 64
_CHUNK = 1 << 20


class FileFormatError(ValueError):
    """A file that cannot be read: damaged, cut short, of another program or of a newer version.

    >>> import tempfile, kronlin as kl
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     kl.load(file.name)
    Traceback (most recent call last):
    kronlin.storage._archive.FileFormatError: ...
    """


def write(path: Any, content: dict[str, Any], arrays: list[np.ndarray[Any, Any]]) -> None:
    """Write the file, whole or not at all."""
    with whole_file(path) as file:
        _write(file, content, arrays)


def _write(file: IO[bytes], content: dict[str, Any], arrays: list[np.ndarray[Any, Any]]) -> None:
    listed = [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in arrays]
    header = {"format": FORMAT, "version": VERSION, **content, "arrays": listed}
    with ZipFile(file, "w") as archive:
        archive.comment = b"0" * _DIGITS
        archive.writestr(ZipInfo(_HEADER), json.dumps(header, allow_nan=False))
        for number, array in enumerate(arrays):
            with archive.open(ZipInfo(_entry(number)), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    size = file.seek(0, os.SEEK_END)
    digest = _digest(file, size - _DIGITS)
    file.seek(size - _DIGITS)
    file.write(digest)


def read(path: Any) -> tuple[dict[str, Any], list[np.ndarray[Any, Any]]]:
    """Return the header and the arrays of a file, after checking that it is what was written.

    Raises:
        FileFormatError: the file is no such file, is damaged, or is of a newer version.
    """
    with open(path, "rb") as file:
        _check_sum(file, path)
        try:
            with ZipFile(file) as archive:
                header = json.loads(archive.read(_HEADER))
                _check_version(header, path)
                arrays = [_read_array(archive, number, listed) for number, listed in enumerate(header["arrays"])]
        except (FileFormatError, MemoryError):
            raise
        except Exception as error:
            raise FileFormatError(f"{path} is not as kronlin.save writes it: {error}") from error
    return header, arrays


def _check_sum(file: IO[bytes], path: Any) -> None:
    """Compare the sum of the file with the one at its end; leave the file at its start."""
    size = file.seek(0, os.SEEK_END)
    digest = _digest(file, max(size - _DIGITS, 0))
    same = file.read() == digest
    file.seek(0)
    if same:
        return
    if _HEADER.encode() in file.read(_DIGITS):
        raise FileFormatError(f"{path} is damaged or cut short: its SHA-256 is not the one that was written at its end")
    raise FileFormatError(f"{path} was not written by kronlin.save")


def _check_version(header: Any, path: Any) -> None:
    if header["format"] != FORMAT:
        raise FileFormatError(f"{path} holds a {header['format']!r}, not a {FORMAT}")
    if header["version"] > VERSION:
        raise FileFormatError(
            f"{path} has version {header['version']} of the format, and this kronlin reads versions up to {VERSION}: "
            "update kronlin"
        )


def _read_array(archive: ZipFile, number: int, listed: dict[str, Any]) -> np.ndarray[Any, Any]:
    with archive.open(_entry(number)) as entry:
        array = np.lib.format.read_array(entry, allow_pickle=False)
    found = {"dtype": array.dtype.str, "shape": list(array.shape)}
    if found != listed:
        raise ValueError(f"array {number} is {found}, and {listed} is announced")
    return array


def _digest(file: IO[bytes], size: int) -> bytes:
    """SHA-256 of the first bytes, in hexadecimal digits; leaves the file behind them."""
    file.seek(0)
    total = hashlib.sha256()
    while size > 0 and (chunk := file.read(min(size, _CHUNK))):
        total.update(chunk)
        size -= len(chunk)
    return total.hexdigest().encode()


def _entry(number: int) -> str:
    return f"{number}.npy"
