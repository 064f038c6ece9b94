"""The theory of two-level methods, statement by statement: on random triples, real and complex, and on Fisher matrices.

B is what the library computes; θ is the spectrum of M A, μ the nonzero spectrum of M P A, all in ascending order.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given

from kronlin.twolevel import two_level
from tests.triples import SCHEMES, Triple, deflated_spectrum, energy_norm, energy_root, formulas, spectrum, triples
from tests.twolevel.cases import SPACES, fisher_triple, small_fishers

SINGULAR = ("DEF1", "DEF2", "R-BNN1", "R-BNN2")
ADAPTED = ("A-DEF1", "A-DEF2", "BNN")
SLACK = 1e-9


class Case(NamedTuple):
    """A, M and Z as given to the library, and as arrays."""

    operators: tuple
    triple: Triple

    def B(self, scheme, **changes):
        """A scheme as an array; `changes` replace A, M or Z."""
        A, M, Z = (changes.get(name, own) for name, own in zip("AMZ", self.operators, strict=True))
        return two_level(A, M, Z, scheme).to_dense()

    def spectrum(self, scheme, **changes):
        return spectrum(self.B(scheme, **changes), self.triple.A)

    @property
    def theta(self):
        return spectrum(self.triple.M, self.triple.A)

    @property
    def mu(self):
        return deflated_spectrum(*self.triple)

    @property
    def unit(self):
        """Z with columns of length one."""
        return self.triple.Z / np.linalg.norm(self.triple.Z, axis=0)


def adjoint(x):
    return x.conj().T


def near(found, wanted, size, tolerance=SLACK):
    assert np.abs(np.asarray(found) - wanted).max() <= tolerance * size


def joined(fixed, values):
    return np.sort(np.concatenate([fixed, values]))


def smallest(matrix):
    return np.linalg.eigvalsh((matrix + adjoint(matrix)) / 2)[0]


# Statements


def spectra_are_real_and_not_negative(case):
    root = energy_root(case.triple.A)
    for B in (case.triple.M, *map(case.B, SCHEMES)):
        found = np.linalg.eigvals(root @ B @ root)
        largest = np.abs(found).max()
        assert np.abs(found.imag).max() <= 1e-4 * largest  # 1 may be a defective eigenvalue: half of the digits
        assert found.real.min() >= -1e-6 * largest


def deflation_turns_k_eigenvalues_to_zero(case):
    for scheme in SINGULAR:
        near(case.spectrum(scheme), joined(np.zeros(case.triple.k), case.mu), case.mu[-1], 1e-6)


def adapted_schemes_turn_the_same_ones_to_one(case):
    wanted = joined(np.ones(case.triple.k), case.mu)
    for scheme in ADAPTED:
        near(case.spectrum(scheme), wanted, wanted[-1], 1e-5)


def deflated_spectrum_interlaces(case):
    """θ_j ≤ μ_j ≤ θ_{j+k}, so that κ_eff(DEF) ≤ κ(M A)."""
    theta, mu, slack = case.theta, case.mu, SLACK * case.theta[-1]
    assert np.all(theta[: len(mu)] <= mu + slack)
    assert np.all(mu <= theta[case.triple.k :] + slack)
    assert mu[-1] / mu[0] <= theta[-1] / theta[0] * (1 + 1e-6)


def addition_is_never_better_than_deflation(case):
    """λ_max(AD) ≥ μ_max and λ_min(AD) ≤ μ_min; θ_j ≤ AD_j ≤ min(θ_{j+k}, θ_j + 1)."""
    found, theta, mu, k = case.spectrum("AD"), case.theta, case.mu, case.triple.k
    slack = SLACK * found[-1]
    assert found[-1] >= mu[-1] - slack
    assert found[0] <= mu[0] + slack
    assert np.all(found >= theta - slack)
    assert np.all(found <= theta + 1 + slack)
    assert np.all(found[:-k] <= theta[k:] + slack)


def balancing_is_as_good_as_deflation_around_one(case):
    """κ(BNN) = max(1, μ_max) / min(1, μ_min) ≥ κ_eff(DEF), equal if 1 lies in between."""
    found, mu = case.spectrum("BNN"), case.mu
    kappa = found[-1] / found[0]
    assert kappa == pytest.approx(max(1, mu[-1]) / min(1, mu[0]), rel=1e-5)
    assert kappa >= mu[-1] / mu[0] * (1 - 1e-5)
    if mu[0] <= 1 <= mu[-1]:
        assert kappa == pytest.approx(mu[-1] / mu[0], rel=1e-5)


def larger_spaces_deflate_more(case):
    """range Z₁ ⊂ range Z₂: P₁ A - P₂ A and Q₂ - Q₁ are psd, μ_max does not grow, μ_min does not fall."""
    A, M, Z = case.triple
    inner = case.unit[:, : max(1, case.triple.k // 2)]
    small, large = formulas(A, M, inner), formulas(A, M, Z)
    assert smallest((small.P - large.P) @ A) >= -SLACK * np.linalg.norm(A, 2)
    assert smallest(large.Q - small.Q) >= -SLACK * np.linalg.norm(large.Q, 2)
    few, many, slack = deflated_spectrum(A, M, inner), case.mu, SLACK * case.theta[-1]
    assert many[-1] <= few[-1] + slack
    assert many[0] >= few[0] - slack


def only_the_range_of_the_coarse_space_counts(case):
    k = case.triple.k
    R = np.eye(k) + np.triu(np.ones((k, k)), 1)
    sizes = formulas(*case.triple).sizes
    for scheme in SCHEMES:
        near(case.B(scheme, Z=case.unit @ R), case.B(scheme, Z=case.unit), sizes[scheme], 1e-8)


def eigenvectors_are_replaced(case):
    """Z of k eigenvectors of M A: 0, θ + 1 or 1 for these, by deflation, AD or the others; the rest of θ unchanged."""
    A, M, _ = case.triple
    k, root = case.triple.k, np.linalg.cholesky(M)
    theta, q = np.linalg.eigh(adjoint(root) @ A @ root)
    Z = root @ q[:, :k]
    new = dict.fromkeys(SINGULAR, np.zeros(k)) | dict.fromkeys(ADAPTED, np.ones(k)) | {"AD": theta[:k] + 1}
    for scheme in SCHEMES:
        wanted = joined(new[scheme], theta[k:])
        near(case.spectrum(scheme, Z=Z), wanted, wanted[-1], 1e-5)


def length_of_the_fine_step_moves_only_mu(case):
    """M → c M: μ → c μ, so that κ_eff(DEF) stays; the zeros and ones stay, so that κ(BNN) does not."""
    A, M, Z = case.triple
    mu = case.mu
    near(deflated_spectrum(A, 7 * M, Z), 7 * mu, 7 * mu[-1])
    for scheme, fixed in (("R-BNN1", 0), ("BNN", 1)):
        wanted = joined(np.full(case.triple.k, fixed), 7 * mu)
        near(case.spectrum(scheme, M=7 * case.operators[1]), wanted, wanted[-1], 1e-6)


def one_application_of_a_def2_cannot_hurt(case):
    """‖B b - A⁻¹ b‖_A ≤ ‖M b - A⁻¹ b‖_A, the square drops by βᴴ E β, and Zᴴ (b - A B b) = 0."""
    A, M, _ = case.triple
    b = np.linspace(-1, 3, len(A)).astype(A.dtype)
    solution, fine, found = np.linalg.solve(A, b), M @ b, case.B("A-DEF2") @ b
    before, after, size = (energy_norm(A, v) for v in (fine - solution, found - solution, solution))
    assert after <= before + SLACK * (before + size)
    correction = formulas(*case.triple).Q @ (b - A @ fine)
    near(before**2 - after**2, energy_norm(A, correction) ** 2, before**2 + size**2, 1e-8)
    near(adjoint(case.unit) @ (b - A @ found), 0, np.linalg.norm(A, 2) * np.linalg.norm(found) + np.linalg.norm(b))


def an_exact_fine_step_stays_exact(case):
    """M = A⁻¹: A-DEF1 = A-DEF2 = BNN = A⁻¹."""
    inverse = np.linalg.inv(case.triple.A)
    inverse = (inverse + adjoint(inverse)) / 2
    for scheme in ADAPTED:
        near(case.B(scheme, M=inverse), inverse, np.linalg.norm(inverse, 2), 1e-8)


def a_coarse_space_that_is_everything_is_exact(case):
    """A-DEF1 = A-DEF2 = BNN = A⁻¹, DEF = R-BNN = 0, AD = M + A⁻¹."""
    A, M, _ = case.triple
    inverse = np.linalg.inv(A)
    wanted = dict.fromkeys(SINGULAR, 0 * A) | dict.fromkeys(ADAPTED, inverse) | {"AD": M + inverse}
    for scheme in SCHEMES:
        size = np.linalg.norm(M, 2) + np.linalg.norm(inverse, 2)
        near(case.B(scheme, Z=np.eye(len(A), dtype=A.dtype)), wanted[scheme], size, 1e-8)


def inverted_diagonal_blocks_bound_the_spectrum(case):
    """M = diag(A₁₁, A₂₂)⁻¹, two blocks: λ_max(M A) ≤ 2 and λ_max(AD) ≤ 3."""
    A, half = case.triple.A, len(case.triple.A) // 2
    blocks = A.copy()
    blocks[:half, half:] = blocks[half:, :half] = 0
    M = np.linalg.inv(blocks)
    M = (M + adjoint(M)) / 2
    assert spectrum(M, A)[-1] <= 2 * (1 + SLACK)
    assert case.spectrum("AD", M=M)[-1] <= 3 * (1 + SLACK)


def adjoint_schemes_pair_up(case):
    """A-DEF1 = A-DEF2ᴴ, DEF1 = DEF2ᴴ, BNN = (A-DEF2) P + Q = Pᴴ (A-DEF1) + Q."""
    dense = formulas(*case.triple)
    B = {scheme: case.B(scheme) for scheme in SCHEMES}
    near(B["A-DEF1"], adjoint(B["A-DEF2"]), dense.sizes["A-DEF1"])
    near(B["DEF1"], adjoint(B["DEF2"]), dense.sizes["DEF1"])
    near(B["A-DEF2"] @ dense.P + dense.Q, B["BNN"], dense.sizes["BNN"], 1e-8)
    near(adjoint(dense.P) @ B["A-DEF1"] + dense.Q, B["BNN"], dense.sizes["BNN"], 1e-8)


def projections_obey_their_identities(case):
    """P² = P, P A = A Pᴴ psd, P A Z = 0, Pᴴ Z = 0, Q A Z = Z, Q A Q = Q, Pᴴ Q = Q P = 0, Pᴴ = I - Q A."""
    A, Z = case.triple.A, case.unit
    coarse = two_level(*case.operators, "AD").coarse
    P, Q = coarse.P.to_dense(), coarse.Q.to_dense()
    p, q, a = max(np.linalg.norm(P, 2), 1), np.linalg.norm(Q, 2), np.linalg.norm(A, 2)
    PH = adjoint(P)
    for matrix, size in (
        (P @ P - P, p**2),
        (P @ A - A @ PH, p * a),
        (P @ A @ Z, p * a),
        (PH @ Z, p),
        (Q @ A @ Z - Z, p),
        (Q @ A @ Q - Q, p * q),
        (PH @ Q, p * q),
        (Q @ P, p * q),
        (PH - np.eye(len(A)) + Q @ A, p),
    ):
        near(matrix, 0, size)
    assert smallest(P @ A) >= -SLACK * p * a
    assert np.linalg.matrix_rank(energy_root(A) @ Q @ energy_root(A), tol=1e-6) == case.triple.k


STATEMENTS = pytest.mark.parametrize(
    "statement",
    [
        spectra_are_real_and_not_negative,
        deflation_turns_k_eigenvalues_to_zero,
        adapted_schemes_turn_the_same_ones_to_one,
        deflated_spectrum_interlaces,
        addition_is_never_better_than_deflation,
        balancing_is_as_good_as_deflation_around_one,
        larger_spaces_deflate_more,
        only_the_range_of_the_coarse_space_counts,
        eigenvectors_are_replaced,
        length_of_the_fine_step_moves_only_mu,
        one_application_of_a_def2_cannot_hurt,
        an_exact_fine_step_stays_exact,
        a_coarse_space_that_is_everything_is_exact,
        inverted_diagonal_blocks_bound_the_spectrum,
        adjoint_schemes_pair_up,
        projections_obey_their_identities,
    ],
    ids=lambda statement: statement.__name__,
)


@STATEMENTS
@given(triple=triples(hardest=4, complex_too=True))
def test_random_triples(statement, triple):
    statement(Case(triple, triple))


@cache
def fisher_case(net, space):
    return Case(*fisher_triple(*small_fishers()[net], space))


@STATEMENTS
@pytest.mark.parametrize("net", small_fishers())
@pytest.mark.parametrize("space", SPACES)
def test_fisher_matrices(statement, net, space):
    statement(fisher_case(net, space))
