"""Faults in solutions, inverses and pseudo-inverses."""

from contextlib import contextmanager

from kronlin.algebra import Adjoint, Identity, Product, rules
from kronlin.operators import Dense, LowRank, Spectral, woodbury
from kronlin.operators.updates import LUUpdate
from tests.faults import examples as ex
from tests.faults.examples import Matrix
from tests.faults.fault import Fault, method, planted, rule

PLANTED: list[Fault] = []


@planted(PLANTED, "solutions", ex.updated)
def woodbury_with_the_wrong_sign():
    def wrong(solve, self, b):
        return 2 * self.base_inverse._matmat(b) - solve(self, b)

    return method(LUUpdate, "solve", wrong)


@planted(PLANTED, "solutions", ex.updated_with_core)
def woodbury_without_the_core():
    def wrong(update, base, base_inverse, term):
        return update(base, base_inverse, LowRank._make(term.U, Identity(term.rank, like=term)))

    return method(woodbury, "_update", wrong)


@planted(PLANTED, "solutions", ex.spectral)
def complement_lost_in_the_inverse():
    def wrong(known, a):
        return Spectral._make(a.Q, 1 / a.w, rest=a.rest)

    return rule(rules.inverse, Spectral, wrong=wrong)


@planted(PLANTED, "solutions", ex.turned)
def inverse_of_the_adjoint_not_turned():
    return rule(rules.inverse, Adjoint, wrong=lambda known, a: a.base.inverse())


@planted(PLANTED, "solutions", ex.product)
def inverse_of_a_product_in_the_same_order():
    return rule(rules.inverse, Product, wrong=lambda known, a: Product(*(factor.inverse() for factor in a.factors)))


@planted(PLANTED, "solutions", ex.SQUARE)
def solves_with_the_transpose():
    return rule(rules.solve, Matrix, wrong=lambda known, a, b: rules.solve(Dense(a.array.T), b))


@planted(PLANTED, "solutions", ex.SQUARE)
def solve_overwrites_its_right_side():
    def wrong(known, a, b):
        b[...] = rules.solve(Dense(a.array), b)
        return b

    return rule(rules.solve, Matrix, wrong=wrong)


@planted(PLANTED, "solutions", ex.DEFINITE)
def solve_factors_its_own_array_in_place():
    def wrong(known, a, b):
        x = rules.solve(Dense(a.array.copy()), b)
        a.array[...] = a.array / 2
        return x

    return rule(rules.solve, Matrix, wrong=wrong)


@planted(PLANTED, "inverses", ex.SQUARE)
def inverse_of_the_inverse_is_the_inverse():
    def wrong(known, a):
        inverse = Matrix(a.kind.xp.linalg.inv(a.array))
        inverse._cache["inverse"] = inverse
        return inverse

    return rule(rules.inverse, Matrix, wrong=wrong)


@planted(PLANTED, "solutions", ex.SQUARE)
def inverses_kept_with_the_class():
    kept = {}

    def wrong(known, a):
        return kept.setdefault((a.shape, a.kind), Dense(a.kind.xp.linalg.inv(a.array)))

    return rule(rules.inverse, Matrix, wrong=wrong)


@planted(PLANTED, "pseudo inverses", ex.rank_one)
def rounding_errors_of_zero_are_inverted():
    def wrong(known, a):
        xp = a.kind.xp
        return a._map_spectrum(lambda w: xp.where(w != 0, 1 / xp.where(w != 0, w, 1), 0.0 * w))

    return rule(rules.pinv, Spectral, wrong=wrong)


@planted(PLANTED, "pseudo inverses", ex.RECTANGLE)
def pseudo_inverse_is_the_adjoint():
    return rule(rules.pinv, Matrix, wrong=lambda known, a: a.H)


@planted(PLANTED, "of the inverse", ex.SQUARE)
@contextmanager
def trace_of_the_inverse_is_one_over_the_trace():
    class Inverse(Matrix):
        pass

    def invert(known, a):
        return Inverse(a.kind.xp.linalg.inv(a.array))

    def wrong(known, a):
        return 1 / Dense(a.kind.xp.linalg.inv(a.array)).trace()

    with rule(rules.inverse, Matrix, wrong=invert), rule(rules.trace, Inverse, wrong=wrong):
        yield
