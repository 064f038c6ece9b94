"""A file appears whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any


@contextmanager
def whole_file(path: Any) -> Iterator[IO[bytes]]:
    """Open a draft in the same folder; bring it to the disk at the end, and only then put it in the place of `path`.

    A failure at any point leaves what was there before.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "whole")
    >>> with whole_file(path) as file:
    ...     _ = file.write(b"all of it")
    ...     os.path.exists(path)
    False
    >>> os.path.getsize(path)
    9
    """
    target = os.path.realpath(os.fsdecode(path))
    draft = f"{target}.{secrets.token_hex(4)}.tmp"
    try:
        with open(draft, "xb+") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(draft)
        raise
