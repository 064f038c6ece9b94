"""The one door to libraries that kronlin can use but does not need."""

from importlib import import_module
from typing import Any


def optional_import(module: str, *, extra: str) -> Any:
    """Import `module`, or say what to install.

    `extra` is the extra of kronlin that brings the library: `pip install "kronlin[extra]"`.

    >>> optional_import("math", extra="demo").pi > 3
    True
    """
    try:
        return import_module(module)
    except ImportError as error:
        top = module.split(".")[0]
        raise ImportError(
            f'this needs {top}, which cannot be imported here ({error}): pip install "kronlin[{extra}]"'
        ) from error
