"""Random arrays that are the same in every array library: drawn by NumPy on the host, then brought over."""

import numpy as np

from kronlin.arrays._elementary import cast
from kronlin.arrays._kind import Kind
from kronlin.arrays.library import Array


def random_normal(own: Kind, shape: tuple[int, ...], seed: int) -> Array:
    """Standard normal entries; complex ones have such a real and such an imaginary part."""
    random = np.random.default_rng(seed)

    def part() -> Array:
        entries = random.standard_normal(shape).astype(own.real.dtype_name)
        return own.library.from_numpy(entries, device=own.device)

    real = part()
    return cast(real, own) + 1j * part() if own.is_complex else real


def random_signs(own: Kind, shape: tuple[int, ...], seed: int) -> Array:
    """Entries 1 and -1 with probability ½ each, for complex kinds too (Rademacher)."""
    signs = 2.0 * np.random.default_rng(seed).integers(0, 2, shape) - 1.0
    return own.library.from_numpy(signs.astype(own.dtype_name), device=own.device)
