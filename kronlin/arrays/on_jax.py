"""JAX, on the CPU or an accelerator; without its x64 switch everything stays in single precision."""

from typing import Any

from kronlin.arrays._optional import optional_import
from kronlin.arrays.library import Array, Library


class Jax(Library):
    """JAX."""

    name = "jax"

    def namespace(self) -> Any:
        return optional_import("jax.numpy", extra="jax")

    def to_numpy(self, x: Array) -> Any:
        return optional_import("numpy", extra="jax").array(x)

    def from_numpy(self, x: Any, device: Any = None) -> Array:
        made = self.namespace().asarray(x, device=device)
        if made.dtype != x.dtype:
            raise ValueError(
                f"JAX would turn {x.dtype} into {made.dtype}: switch double precision on first, "
                'by jax.config.update("jax_enable_x64", True), or cast the array'
            )
        return made

    def enable(self, dtype: str) -> None:
        if dtype in ("float64", "complex128"):
            optional_import("jax", extra="jax").config.update("jax_enable_x64", True)

    def devices(self) -> list[str]:
        jax = optional_import("jax", extra="jax")
        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]

    def is_accelerator(self, device: Any) -> bool:
        return getattr(device, "platform", "cpu") != "cpu"

    def double(self, dtype: Any) -> Any:
        jax = optional_import("jax", extra="jax")
        return super().double(dtype) if jax.config.jax_enable_x64 else dtype

    def all_finite(self, x: Array) -> bool:
        """NaN and Inf survive a sum, which costs less than half of a look at all entries; a sum may also overflow."""
        xp = self.namespace()
        return bool(xp.isfinite(x.sum())) or bool(xp.isfinite(x).all())

    def solve_triangular(self, lower: Array, b: Array, *, adjoint: bool = False) -> Array:
        solver = optional_import("jax.scipy.linalg", extra="jax").solve_triangular
        return solver(lower, b, trans="C" if adjoint else "N", lower=True)
