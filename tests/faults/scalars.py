"""Faults in traces, diagonals, norms, determinants and spectra."""

from kronlin.algebra import Operator, rules
from kronlin.operators import Dense, KhatriRao, Kronecker, Spectral
from tests.faults import examples as ex
from tests.faults.examples import Matrix
from tests.faults.fault import Fault, method, planted, rule

PLANTED: list[Fault] = []


@planted(PLANTED, "determinants", ex.UNEQUAL)
def determinant_exponents_swapped():
    def wrong(known, a):
        sign, logarithm = 1.0, 0.0
        for factor in a.factors:
            part = factor.slogdet()
            sign, logarithm = sign * part[0] ** factor.shape[0], logarithm + part[1] * factor.shape[0]
        return sign, logarithm

    return rule(rules.slogdet, Kronecker, wrong=wrong)


@planted(PLANTED, "determinants", ex.symmetric)
def sign_of_the_determinant_lost():
    return rule(rules.slogdet, Dense, wrong=lambda known, a: (abs(known(a)[0]), known(a)[1]))


@planted(PLANTED, "determinants", ex.SQUARE)
def logarithm_to_base_ten():
    def wrong(known, a):
        sign, logarithm = Dense(a.array).slogdet()
        return sign, logarithm / 2.302585092994046

    return rule(rules.slogdet, Matrix, wrong=wrong)


@planted(PLANTED, "traces", ex.RECTANGLE)
def trace_of_a_rectangle():
    def wrong(trace, self):
        return self.kind.xp.sum(self.kind.xp.linalg.diagonal(self.array))

    return method(Matrix, "trace", wrong)


@planted(PLANTED, "traces", ex.kronecker(ex.normal((2, 3)), ex.normal((3, 2), seed=1)))
def trace_from_factors_that_are_not_square():
    def wrong(known, a):
        return a.kind.xp.prod(a.kind.xp.stack([factor.array.trace() for factor in a.factors]))

    return rule(rules.trace, Kronecker, wrong=wrong)


@planted(PLANTED, "traces", ex.UNEQUAL)
def diagonal_of_swapped_factors():
    def wrong(known, a):
        return a._outer([factor.diagonal() for factor in reversed(a.factors)])

    return rule(rules.diagonal, Kronecker, wrong=wrong)


@planted(PLANTED, "traces", ex.SQUARE)
def diagonal_reversed():
    return rule(rules.diagonal, Matrix, wrong=lambda known, a: a.array.diagonal()[::-1])


@planted(PLANTED, "traces", ex.spectral)
def trace_without_the_complement():
    return rule(rules.trace, Spectral, wrong=lambda known, a: a.kind.xp.sum(a.w))


@planted(PLANTED, "norms", ex.khatri_rao)
def norm_not_rooted():
    return rule(rules.norm, KhatriRao, wrong=lambda known, a: known(a) ** 2)


@planted(PLANTED, "norms", ex.COMPLEX)
def norm_of_complex_entries_without_modulus():
    def wrong(known, a):
        return abs((a.array**2).sum()) ** 0.5

    return rule(rules.norm, Matrix, wrong=wrong)


@planted(PLANTED, "powers", ex.definite)
def root_of_the_wrong_branch():
    def wrong(known, a, p):
        root = known(a, p)
        if p != 0.5:
            return root
        signs = a.kind.asarray([-1.0] + [1.0] * (a.w.shape[-1] - 1))
        return Spectral._make(root.Q, root.w * signs, rest=root.rest)

    return rule(rules.power, Spectral, wrong=wrong)


@planted(PLANTED, "spectra", ex.SYMMETRIC)
def eigenvalues_in_the_order_of_swapped_factors():
    def wrong(known, a):
        spectral = known(a)
        return Spectral._make(spectral.Q, a._outer([f.eigh().w for f in reversed(a.factors)]), rest=0.0)

    return rule(rules.eigh, Kronecker, wrong=wrong)


@planted(PLANTED, "spectra", ex.SQUARE)
def eigh_of_what_is_not_self_adjoint():
    return rule(rules.eigh, Matrix, wrong=lambda known, a: Dense((a.array + a.array.T) / 2).eigh())


@planted(PLANTED, "form", ex.RECTANGLE)
def a_name_of_two_lines():
    return method(Operator, "__repr__", lambda name, self: "an\noperator")
