"""What the tests of the law files share: their laws, sound operators, and the faults that a law must catch."""

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType

import pytest

import kronlin as kl
from kronlin.testing import _effects
from kronlin.testing._case import Case
from kronlin.testing._check import LAWS
from tests.faults import FAULTS
from tests.matrices import normal, positive

Law = Callable[[Case], None]

SOUND = pytest.mark.parametrize(
    "a",
    [positive(3), normal((3, 3), "complex128"), normal((2, 3), "float32"), normal((3, 1))],
    ids=["pd", "general", "wide", "column"],
)


def laws_of(module: ModuleType) -> list[Law]:
    """The laws that check_operator takes from one file."""
    return [law for law in LAWS if law.__module__ == module.__name__]


def each_law_of(module: ModuleType):
    """Parametrise a test by `law`."""
    return pytest.mark.parametrize("law", laws_of(module), ids=lambda law: law.__name__)


def each_fault_for(module: ModuleType):
    """Parametrise a test by `law` and a `fault` that it must catch."""
    pairs = [(law, f) for law in laws_of(module) for f in FAULTS if f.law == law.__name__.replace("_", " ")]
    return pytest.mark.parametrize(
        ("law", "fault"), [pytest.param(law, f, id=f"{law.__name__}-{f.title}") for law, f in pairs]
    )


def check_sound(law: Law, a) -> None:
    """The law holds for a dense operator."""
    law(Case(kl.Dense(a), a))


def check_catches(law: Law, fault) -> None:
    """The law breaks while the fault is planted, once another operator of the type was used; else it holds."""
    law(Case(*fault.make()))
    with fault.plant():
        case = Case(*fault.make())
        if law is not _effects.independence:
            with suppress(Exception):
                _effects.independence(case)
        with pytest.raises(Exception):  # noqa: B017 - an error of the operator breaks the law as well
            law(case)
    law(Case(*fault.make()))
