"""The arguments of the laws: where a random one breaks a law, the simplest one that does is shown."""

from collections.abc import Callable, Iterator

import numpy as np

from kronlin.testing._case import BrokenLaw

MOST_UNITS = 64
"""Up to this many unit vectors are tried to make an example simple."""


def simplest(letter: str, law: Callable[[np.ndarray], None], x: np.ndarray) -> None:
    """Call `law(x)`; if it fails, show the simplest argument of the same shape for which it does, as `letter`."""
    try:
        law(x)
    except Exception:
        for simple in simple_arguments(x.shape):
            _show(letter, law, simple)
        _show(letter, law, x)
        raise


def simple_arguments(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Zero, then each unit vector, of shape (n,) or in the first of k columns."""
    yield np.zeros(shape)
    if 0 in shape:
        return
    for j in range(min(shape[0], MOST_UNITS)):
        x = np.zeros(shape)
        x[(j, *(0,) * (len(shape) - 1))] = 1.0
        yield x


def shown(letter: str, x: np.ndarray) -> str:
    """The line of a message that shows an argument: a small one in full, a large one by its shape."""
    if x.size <= 8:
        text = np.array2string(x, separator=", ", max_line_width=10**6).replace("\n", "")
        return f"\n  {letter} = {text}" + ("" if x.size else f" of shape {x.shape}")
    places = np.argwhere(x)
    if len(places) == 1:
        return f"\n  {letter} of shape {x.shape} is 1 at {[int(i) for i in places[0]]}, 0 elsewhere"
    return f"\n  {letter} is {'random' if len(places) else 'zero'}, of shape {x.shape}"


def _show(letter: str, law: Callable[[np.ndarray], None], x: np.ndarray) -> None:
    """Call `law(x)`; whatever it raises becomes a broken law that shows x."""
    try:
        law(x)
    except BrokenLaw as broken:
        raise BrokenLaw(f"{broken}{shown(letter, x)}") from broken.__cause__
    except Exception as error:
        raise BrokenLaw(f"{type(error).__name__}: {error}{shown(letter, x)}") from error
