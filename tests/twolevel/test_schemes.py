"""The list of schemes: complete, consistent, found by name and alias."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.twolevel._schemes import SCHEMES, Scheme, scheme, scheme_named
from tests import triples

ALIASES = {"additive": "AD", "multiplicative": "A-DEF2", "deflated": "A-DEF1", "balanced": "BNN"}


def test_all_schemes_are_there():
    assert sorted(SCHEMES) == sorted(triples.SCHEMES)


@pytest.mark.parametrize("name", triples.SCHEMES)
def test_found_by_name(name):
    assert scheme_named(name) is SCHEMES[name]
    assert scheme_named(name).name == name


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_found_by_alias(alias, name):
    assert scheme_named(alias) is SCHEMES[name]


def test_names_and_aliases_are_unique():
    words = [word for entry in SCHEMES.values() for word in (entry.name, *entry.aliases)]
    assert len(words) == len(set(words))
    assert {alias: entry.name for entry in SCHEMES.values() for alias in entry.aliases} == ALIASES


@pytest.mark.parametrize("name", triples.SCHEMES)
def test_adjoints_are_paired(name):
    """The adjoint of the adjoint computes the same; a self-adjoint scheme is its own."""
    entry = SCHEMES[name]
    other = SCHEMES[entry.adjoint]
    assert SCHEMES[other.adjoint].expression == entry.expression
    assert entry.self_adjoint is (other is entry)
    assert other.definite is entry.definite


@pytest.mark.parametrize("name", triples.SCHEMES)
def test_solvers(name):
    """Plain CG takes the positive definite ones, GMRES the one that stalls in every form of CG."""
    entry = SCHEMES[name]
    assert (entry.solver == "cg") is (entry.self_adjoint and entry.definite)
    assert entry.solver == {"A-DEF1": "gmres", "AD": "cg", "BNN": "cg"}.get(name, "deflated_cg")


@pytest.mark.parametrize("name", triples.SCHEMES)
def test_the_named_solver_solves_and_cg_refuses_the_others(name):
    random = np.random.default_rng(0)
    A = random.standard_normal((30, 30))
    A, M, Z, b = A @ A.T + np.eye(30), kl.Identity(30, dtype="float64"), random.standard_normal((30, 3)), np.ones(30)
    B, solver = kl.two_level(kl.assume(A, "pd"), M, Z, name), SCHEMES[name].solver
    if solver != "cg":
        with pytest.raises(ValueError, match="known") as caught:
            kl.cg(A, b, M=B)
        for way in ("deflated_cg", '"BNN"', "gmres"):
            assert way in str(caught.value)
    if solver == "deflated_cg":
        result = kl.deflated_cg(A, b, B.coarse, M, scheme=name, rtol=1e-10)
    else:
        result = getattr(kl, solver)(A, b, M=B, rtol=1e-10)
    assert result.converged.all(), result.status
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", triples.SCHEMES)
def test_the_docstring_of_a_formula_is_its_expression(name):
    assert SCHEMES[name].formula.__doc__.splitlines()[0] == f"{SCHEMES[name].expression}."


@pytest.mark.parametrize("name", ["Multigrid", "a-def2", "", None])
def test_unknown_names_list_the_known_ones(name):
    with pytest.raises(ValueError, match="unknown scheme") as caught:
        scheme_named(name)
    message = str(caught.value)
    assert repr(name) in message
    for known in (*triples.SCHEMES, *ALIASES):
        assert repr(known) in message


def test_a_new_scheme_is_one_entry(monkeypatch):
    monkeypatch.setattr("kronlin.twolevel._schemes.SCHEMES", listed := {})

    @scheme("HALF", "M / 2", self_adjoint=True, definite=True, adjoint="HALF", solver="cg", aliases=("half",))
    def half(M, coarse):
        return M / 2

    assert listed == {"HALF": Scheme("HALF", half, "M / 2", True, True, "HALF", "cg", ("half",))}
    assert scheme_named("half").formula is half
