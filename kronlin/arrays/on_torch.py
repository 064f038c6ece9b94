"""PyTorch, on the CPU or a GPU."""

from typing import Any

from kronlin.arrays._optional import optional_import
from kronlin.arrays.library import Array, Library


class Torch(Library):
    """PyTorch."""

    name = "torch"

    def __init__(self) -> None:
        self.linalg_errors = (RuntimeError,)  # torch.linalg.LinAlgError is one

    def namespace(self) -> Any:
        optional_import("torch", extra="torch")
        return optional_import("array_api_compat.torch", extra="torch")

    def to_numpy(self, x: Array) -> Any:
        return x.detach().cpu().resolve_conj().numpy().copy()

    def devices(self) -> list[str]:
        cuda = optional_import("torch", extra="torch").cuda
        return [cuda.get_device_name(i) for i in range(cuda.device_count())]

    def is_accelerator(self, device: Any) -> bool:
        return str(device) != "cpu"

    def all_finite(self, x: Array) -> bool:
        """NaN and Inf survive a sum, which costs a quarter of a look at all entries; a sum may also overflow."""
        x = x.detach()
        return bool(x.sum().isfinite()) or bool(x.isfinite().all())

    def lies_by_columns(self, x: Array) -> bool:
        return bool(x.stride(-2) == 1)

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        torch = optional_import("torch", extra="torch")
        matrix = lower.mH if adjoint else lower
        return torch.linalg.solve_triangular(matrix, b, upper=adjoint)
