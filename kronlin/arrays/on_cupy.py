"""CuPy; cupyx is imported only when an array is CuPy's, because it needs the CUDA libraries."""

from typing import Any

from kronlin.arrays._optional import optional_import
from kronlin.arrays.library import Array, Library


class CuPy(Library):
    """CuPy on an NVIDIA GPU."""

    name = "cupy"

    def namespace(self) -> Any:
        optional_import("cupy", extra="gpu")
        return optional_import("array_api_compat.cupy", extra="gpu")

    def to_numpy(self, x: Array) -> Any:
        return x.get()

    def devices(self) -> list[str]:
        runtime = optional_import("cupy", extra="gpu").cuda.runtime
        try:
            count = runtime.getDeviceCount()
        except runtime.CUDARuntimeError:
            return []
        return [runtime.getDeviceProperties(i)["name"].decode() for i in range(count)]

    def is_accelerator(self, device: Any) -> bool:
        return True

    def lies_by_columns(self, x: Array) -> bool:
        return bool(x.strides[-2] == x.itemsize)

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        if lower.ndim > 2:
            return super().solve_triangular(lower, b, adjoint=adjoint)
        solver = optional_import("cupyx.scipy.linalg", extra="gpu").solve_triangular
        return solver(lower, b, trans="C" if adjoint else "N", lower=True)

    def csr(self, data: Array, columns: Array, starts: Array, shape: tuple[int, int]) -> Any:
        return optional_import("cupyx.scipy.sparse", extra="gpu").csr_matrix((data, columns, starts), shape=shape)

    def linear_operator(self, shape: tuple[int, int], **products: Any) -> Any:
        return optional_import("cupyx.scipy.sparse.linalg", extra="gpu").LinearOperator(shape, **products)
