"""The list of two-level schemes; each file of formulas adds its own."""

from collections.abc import Callable
from typing import NamedTuple

from kronlin.algebra import Operator

Formula = Callable[..., Operator]
"""Takes M and the `Galerkin` of A and Z; if weighted, two numbers too."""


class Scheme(NamedTuple):
    """A two-level scheme: its formula B(M, coarse) and what the theory says of B for pd A and M, E solved exactly."""

    name: str
    formula: Formula
    expression: str
    self_adjoint: bool
    definite: bool
    """Whether B is positive definite (or, if not self-adjoint, nonsingular)."""
    adjoint: str
    """The scheme that gives Bᴴ for self-adjoint A and M."""
    solver: str
    """The Krylov method that may use it: "cg", "deflated_cg" or "gmres"."""
    aliases: tuple[str, ...] = ()
    weighted: bool = False
    """Whether the formula takes the weights of its two terms as well."""


SCHEMES: dict[str, Scheme] = {}


def scheme(
    name: str,
    expression: str,
    *,
    self_adjoint: bool,
    definite: bool,
    adjoint: str,
    solver: str,
    aliases: tuple[str, ...] = (),
    weighted: bool = False,
) -> Callable[[Formula], Formula]:
    """Enter a formula into the list under its name."""

    def enter(formula: Formula) -> Formula:
        SCHEMES[name] = Scheme(name, formula, expression, self_adjoint, definite, adjoint, solver, aliases, weighted)
        return formula

    return enter


def scheme_named(name: str) -> Scheme:
    """Find a scheme by its name or alias; an unknown name lists the known ones."""
    for entry in SCHEMES.values():
        if name == entry.name or name in entry.aliases:
            return entry
    known = ", ".join(repr(word) for entry in SCHEMES.values() for word in (entry.name, *entry.aliases))
    raise ValueError(f"unknown scheme {name!r}: choose one of {known}")
