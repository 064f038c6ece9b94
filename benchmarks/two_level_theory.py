"""Question: do the nine two-level methods behave as they should, in good company and in bad.

Diffusion problems on a square grid (5-point stencil, Dirichlet boundary), the incomplete Cholesky factorisation IC(0)
as M, and the constants on 8 × 8 subdomains as Z. Good company is exact arithmetic; bad are coarse solves
disturbed by ψ, starts disturbed by γ, and iterating on where nothing is to be gained. The script checks what is
expected of the methods, and writes the tables of the page "Two-level methods".

Source: after Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39 (2009), section 4.
"""

from pathlib import Path

import numpy as np
from deflation.methods import METHODS, STEPS, errors, inaccurate, library, methods
from deflation.problems import Problem, problems
from deflation.tables import Curves, page, rows, steps
from harness import report

PAGE = Path(__file__).parents[1] / "docs" / "two_level_theory.inc"
PSI, GAMMA = ("1e-12", "1e-8", "1e-4", "1e-2", "1e-1"), ("1e-10", "1e-5", "1")
ALIKE = ("DEF1", "DEF2", "A-DEF2", "BNN", "R-BNN1", "R-BNN2")
ROBUST, FRAGILE = ("AD", "A-DEF2", "BNN"), ("DEF1", "DEF2", "R-BNN1", "R-BNN2")
ANY_START, ONE_START = ("PREC", "AD", "DEF1", "A-DEF1", "A-DEF2", "BNN"), ("DEF2", "R-BNN1", "R-BNN2")


def curves(p: Problem) -> Curves:
    """The errors of every method under every condition."""
    y = np.random.default_rng(2).uniform(-0.5, 0.5, len(p.b))
    conditions = {"exact": (0.0, 0.0)}
    conditions |= {f"ψ = {psi}": (float(psi), 0.0) for psi in PSI}
    conditions |= {f"γ = {gamma}": (0.0, float(gamma)) for gamma in GAMMA}
    found = {}
    for name, (psi, gamma) in conditions.items():
        coarse, offset = inaccurate(p, psi), gamma * y
        plain = {method: errors(p, row, offset) for method, row in methods(p, coarse).items()}
        found[name] = plain | library(p, coarse, offset)
    return found


def statements(found: Curves) -> dict[str, bool]:
    """What is expected of the methods, and whether it is so."""
    count = {condition: {name: steps(curve) for name, curve in row.items()} for condition, row in found.items()}
    exact, small = count["exact"], [f"ψ = {psi}" for psi in PSI if float(psi) <= 1e-4]
    last = {name: curve[-1] / np.nanmin(curve) for name, curve in found["exact"].items()}

    def same(one: int | None, other: int | None) -> bool:
        return one is not None and other is not None and abs(one - other) <= 1

    return {
        "exact: DEF1, DEF2, A-DEF2, BNN, R-BNN1 and R-BNN2 take the same number of steps": all(
            same(exact[name], exact["BNN"]) for name in ALIKE
        ),
        "exact: A-DEF1 takes that number too": same(exact["A-DEF1"], exact["BNN"]),
        "exact: AD takes more steps than those, PREC more than AD": exact["BNN"] + 1 < exact["AD"] < exact["PREC"],
        "ψ ≤ 1e-4: AD, A-DEF2 and BNN take the steps that they take with exact coarse solves": all(
            same(count[psi][name], exact[name]) for psi in small for name in ROBUST
        ),
        "ψ = 1e-12: DEF1, DEF2, R-BNN1 and R-BNN2 take the steps that they take with exact coarse solves": all(
            same(count["ψ = 1e-12"][name], exact[name]) for name in FRAGILE
        ),
        "ψ ≥ 1e-8: DEF1, DEF2, R-BNN1 and R-BNN2 do not reach an error of 1e-8": not any(
            count[f"ψ = {psi}"][name] for psi in PSI if float(psi) >= 1e-8 for name in FRAGILE
        ),
        "ψ = 1e-1: AD, A-DEF2 and BNN still reach an error of 1e-8": all(count["ψ = 1e-1"][name] for name in ROBUST),
        f"exact, {STEPS} steps: PREC, AD, A-DEF1, A-DEF2 and BNN keep the smallest error that they reached": all(
            last[name] < 10 for name in ("PREC", "AD", "A-DEF1", "A-DEF2", "BNN")
        ),
        f"exact, {STEPS} steps: DEF2 diverges after it has converged": not found["exact"]["DEF2"][-1] < 1,
        "γ = 1: PREC, AD, DEF1, A-DEF1, A-DEF2 and BNN take the steps that they take from their own start": all(
            same(count["γ = 1"][name], exact[name]) for name in ANY_START
        ),
        "γ = 1: DEF2, R-BNN1 and R-BNN2 do not reach an error of 1e-8": not any(count["γ = 1"][n] for n in ONE_START),
        "exact: cg with BNN, and deflated_cg with DEF1 and A-DEF2, take the steps of the plain methods": all(
            same(exact[name], exact[name.split()[0]]) for name in found["exact"] if name not in METHODS
        ),
        "ψ ≤ 1e-4: A-DEF2 in deflated_cg takes the steps that it takes with exact coarse solves": all(
            same(count[psi]["A-DEF2 in deflated_cg"], exact["A-DEF2"]) for psi in small
        ),
    }


def main() -> None:
    """Print and keep the numbers, and write the page's tables."""
    found = {name: curves(p) for name, p in problems().items()}
    numbers = [row for name in found for row in rows(name, found[name])]
    report("two_level_theory", numbers)
    answers = {name: statements(found[name]) for name in found}
    told = [
        {"statement": statement} | {name: "holds" if answers[name][statement] else "does not hold" for name in answers}
        for statement in next(iter(answers.values()))
    ]
    report("two_level_statements", told)
    PAGE.write_text(page(numbers, told))


if __name__ == "__main__":
    main()
