"""What the tests of the law files share: their laws, sound examples, and which laws a planted fault breaks."""

from collections.abc import Callable
from types import ModuleType

import pytest

import kronlin as kl
from kronlin.testing._case import BrokenLaw, Case
from kronlin.testing._check import LAWS
from tests.matrices import normal, positive
from tests.testing.planted import FAULTS

Law = Callable[[Case], None]

SOUND = pytest.mark.parametrize(
    "a", [positive(3), normal((3, 3), "complex128"), normal((2, 3), "float32")], ids=["pd", "general", "wide"]
)


def laws_of(module: ModuleType) -> list[Law]:
    """The laws that check_operator takes from one file."""
    return [law for law in LAWS if law.__module__ == module.__name__]


def each_law_of(module: ModuleType):
    """Parametrise a test by `law`."""
    return pytest.mark.parametrize("law", laws_of(module), ids=lambda law: law.__name__)


def check_sound(law: Law, a) -> None:
    """The law holds for a dense operator."""
    law(Case(kl.Dense(a), a, None))


def broken_by(fault: str, module: ModuleType) -> list[str]:
    """The names of the laws of one file that a planted fault breaks."""
    op, dense = FAULTS[fault]
    broken = []
    for law in laws_of(module):
        try:
            law(Case(op, op.array if dense is None else dense, None))
        except BrokenLaw:
            broken.append(law.__name__)
    return broken
