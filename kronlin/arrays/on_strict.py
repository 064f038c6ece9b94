"""array-api-strict: the standard and nothing more, with a second device that stands in for a GPU."""

from typing import Any

from kronlin.arrays._optional import optional_import
from kronlin.arrays.library import Array, Library


class Strict(Library):
    """array-api-strict."""

    name = "array_api_strict"

    def __init__(self) -> None:
        self.linalg_errors = (ValueError,)  # numpy.linalg.LinAlgError is one

    def namespace(self) -> Any:
        return optional_import("array_api_strict", extra="test")

    def to_numpy(self, x: Array) -> Any:
        cpu = self.namespace().Device("CPU_DEVICE")
        return optional_import("numpy", extra="test").array(x.to_device(cpu))

    def device_named(self, name: str) -> Any:
        return self.namespace().Device(name)

    def is_accelerator(self, device: Any) -> bool:
        return "CPU" not in str(device)
