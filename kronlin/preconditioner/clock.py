"""Clock: which pieces of a preconditioner are made anew at a step, so that no two of them disagree."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

STAGES = ("factors", "inverses", "basis", "coarse")
"""The pieces, each made from those before it; a coarse matrix needs a basis and the statistics of the step."""


@dataclass(frozen=True)
class Clock:
    """How many steps each piece may serve: factors, their inverses, the coarse basis Z and the coarse matrix E.

    A piece is due when it is as old as its number here, or was never made, and it takes along what it is made from or
    what is made from it: a new Z comes from new inverses and brings a new E, and new inverses come from new factors. So
    Z and E belong together, and no inverse is made from statistics that are older than itself. After a failure what
    was due stays due.

    Args:
        factors: steps from one update of the factors to the next.
        inverses: steps from one inversion to the next.
        basis: steps from one coarse basis to the next.
        coarse: steps from one coarse matrix to the next. Each but the first is as the one before it if None.

    Raises `ValueError` for what is not a whole number of steps from 1 on.

    >>> clock = Clock(factors=1, inverses=2, basis=4, coarse=2)
    >>> clock.due(7, {"factors": 6, "inverses": 5, "basis": 4, "coarse": 6})
    ('factors', 'inverses')
    >>> clock.due(8, {"factors": 7, "inverses": 7, "basis": 4, "coarse": 7})
    ('factors', 'inverses', 'basis', 'coarse')
    """

    factors: int = 1
    inverses: int | None = None
    basis: int | None = None
    coarse: int | None = None

    def __post_init__(self) -> None:
        value: int | None = 1
        for field in fields(self):
            given = getattr(self, field.name)
            value = value if given is None else given
            object.__setattr__(self, field.name, value)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{field.name} must be a whole number of steps from 1 on, not {value!r}")

    def due(self, step: int, made: Mapping[str, int], two_level: bool = True) -> tuple[str, ...]:
        """The pieces to make at this step, in the order in which they are made.

        Args:
            step: the number of this step.
            made: the step at which each piece was made; those that were not are missing.
            two_level: whether there is a coarse space; without one there are factors and inverses only.
        """

        def old(stage: str) -> bool:
            return stage not in made or step - made[stage] >= getattr(self, stage)

        basis = two_level and old("basis")
        inverses = basis or old("inverses")
        flags = (inverses or old("factors"), inverses, basis, basis or (two_level and old("coarse")))
        return tuple(stage for stage, flag in zip(STAGES, flags, strict=True) if flag)
