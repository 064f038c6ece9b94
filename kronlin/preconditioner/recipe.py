"""Recipe: how a preconditioner is made of its curvature, as functions that are chosen once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import Array, all_finite
from kronlin.curvature import LayerStatistics, kfac, tikhonov_damping
from kronlin.preconditioner._damping import Damping
from kronlin.preconditioner.averages import Estimator
from kronlin.twolevel import two_level
from kronlin.twolevel._schemes import scheme_named

_OFFERED = ("blocks", "layers", "A", "M")
"""What a coarse space may be made from, by the names of its parameters."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """M = damp(blocks, λ)⁻¹, and with a scheme the two-level method of A = F + λ I, M and Z = coarse_space(...).

    Args:
        estimator: a function from layers to the operator that is averaged and inverted.
        basis: another one, whose eigenbases it takes, as `estimator(layers, basis=...)`, or None.
        damp: a function of an operator and λ that returns the damped operator.
        scheme: a name that `two_level` takes, or None.
        coarse_space: a function whose parameters are any of blocks, layers, A and M by name; goes with a scheme.

    Raises `ValueError` for a scheme without a coarse space and the other way round, an unknown
    scheme, and a coarse space that needs something else.

    >>> from kronlin.coarse import nicolaides
    >>> Recipe(scheme="balanced", coarse_space=nicolaides).scheme
    'BNN'
    """

    estimator: Estimator = kfac
    basis: Estimator | None = None
    damp: Callable[[Any, Any], Any] = tikhonov_damping
    scheme: str | None = None
    coarse_space: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if (self.scheme is None) != (self.coarse_space is None):
            raise ValueError(
                f"scheme={self.scheme!r} and coarse_space={self.coarse_space!r}: two levels take both, such as "
                "scheme='BNN' and coarse_space=kronlin.coarse.nicolaides"
            )
        if self.scheme is not None:
            object.__setattr__(self, "scheme", scheme_named(self.scheme).name)
            self._names()

    def fine(self, blocks: Operator, lam: Damping) -> Operator:
        """M = damp(blocks, λ)⁻¹, factorised now and finite."""
        M: Operator = rules.wrap(self.damp(blocks, lam)).prepare().inverse()
        if not all(all_finite(array) for array in M._arrays() if _is_floating(array, M)):
            raise ValueError("the inverse has an entry that is NaN or infinite: raise the damping")
        return M

    def space(self, blocks: Operator, layers: Sequence[LayerStatistics], A: Operator, M: Operator) -> Operator:
        """The coarse space Z."""
        assert self.coarse_space is not None
        offered = dict(zip(_OFFERED, (blocks, layers, A, M), strict=True))
        Z: Operator = rules.wrap(self.coarse_space(**{name: offered[name] for name in self._names()}))
        return Z

    def combine(self, A: Operator, M: Operator, Z: Operator) -> Operator:
        """The two-level operator, its coarse matrix factorised."""
        assert self.scheme is not None
        return two_level(A, M, Z, self.scheme)

    def _names(self) -> list[str]:
        """Those of blocks, layers, A and M that the coarse space takes, beside what a partial gives it."""
        assert self.coarse_space is not None
        given = getattr(self.coarse_space, "keywords", {})
        taken = {name: each for name, each in signature(self.coarse_space).parameters.items() if name not in given}
        strange = [name for name, each in taken.items() if name not in _OFFERED and _is_needed(each)]
        if strange:
            raise ValueError(
                f"the coarse space needs {', '.join(strange)}, and is offered {', '.join(_OFFERED)} by name: give the "
                "rest by functools.partial, or write a function of these"
            )
        return [name for name in taken if name in _OFFERED]


def _is_needed(parameter: Parameter) -> bool:
    """Whether a parameter has no default and no star."""
    starred = parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return parameter.default is Parameter.empty and not starred


def _is_floating(array: Array, M: Operator) -> bool:
    return bool(M.kind.xp.isdtype(array.dtype, ("real floating", "complex floating")))
