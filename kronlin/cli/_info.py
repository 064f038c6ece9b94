"""What `kronlin info` prints: versions, BLAS and its threads, array libraries and GPUs."""

import os
import platform
from importlib import metadata
from typing import Any

import numpy as np

from kronlin import __version__
from kronlin.arrays import LIBRARIES, find_libraries, optional_import

_PACKAGES = ("numpy", "scipy", "array-api-compat")


def info_lines() -> list[str]:
    """Describe this installation, one fact a line."""
    lines = [f"python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} processors"]
    lines += [f"kronlin {__version__}", *(f"{name} {_version(name)}" for name in _PACKAGES)]
    lines += [f"BLAS: {line}" for line in _blas()]
    found = find_libraries()
    for name in LIBRARIES:
        if name not in found:
            lines.append(f"array library {name}: not found")
            continue
        devices = LIBRARIES[name].devices()
        gpus = f", GPUs: {', '.join(devices)}" if devices else ""
        lines.append(f"array library {name} {_version(name.replace('_', '-'))}{gpus}")
    if not any(LIBRARIES[name].devices() for name in found):
        lines.append("GPUs: none found")
    return lines


def _version(package: str) -> str:
    candidates = [package, *(name for name in ("cupy-cuda12x", "cupy-cuda13x") if package == "cupy")]
    for name in candidates:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "(version unknown)"


def _blas() -> list[str]:
    """The loaded BLAS libraries with their threads if threadpoolctl is there, else what NumPy was built with."""
    try:
        pools: list[dict[str, Any]] = optional_import("threadpoolctl", extra="demo").threadpool_info()
    except ImportError:
        built: Any = np.show_config(mode="dicts")
        blas = built["Build Dependencies"]["blas"]
        return [f"{blas['name']} {blas.get('version', '')} (threads unknown without threadpoolctl)"]
    return [
        f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads"
        for pool in pools
        if pool["user_api"] == "blas"
    ] or ["none that threadpoolctl knows"]
