"""Files that `save` would not write, with a checksum that is right."""

import hashlib
import json
from zipfile import ZipFile, ZipInfo

import numpy as np


def unpack(path):
    """The header and the raw entries of a file."""
    with ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(entries.pop("kronlin.json")), entries


def pack(path, header, entries, name="kronlin.json"):
    """Write a file of a header (bytes, or what JSON holds) and entries, and close it with its sum."""
    with ZipFile(path, "w") as archive:
        archive.comment = b"0" * 64
        archive.writestr(ZipInfo(name), header if isinstance(header, bytes) else json.dumps(header))
        for entry, content in entries.items():
            archive.writestr(ZipInfo(entry), content)
    content = path.read_bytes()[:-64]
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode())


def npy(array, tmp_path, **options):
    """The bytes of an array as NumPy stores it."""
    np.save(tmp_path / "one.npy", array, **options)
    return (tmp_path / "one.npy").read_bytes()
