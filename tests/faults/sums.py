"""Faults in sums, multiples, products of operators and damping."""

import copy
from contextlib import contextmanager

from kronlin.algebra import Operator, Scaled, Sum, rules
from kronlin.arrays import adjoint
from kronlin.operators import Dense, KhatriRao, Kronecker
from tests.faults import examples as ex
from tests.faults.examples import Matrix
from tests.faults.fault import Fault, method, planted, rule

PLANTED: list[Fault] = []


@planted(PLANTED, "arithmetic", ex.RECTANGLE)
def difference_is_the_sum():
    return method(Operator, "_plus", lambda plus, self, other, sign: plus(self, other, 1))


@planted(PLANTED, "arithmetic", ex.COMPLEX)
def multiple_by_the_conjugate():
    return method(Scaled, "_matmat", lambda kernel, self, x: complex(self.factor).conjugate() * self.base._matmat(x))


@planted(PLANTED, "arithmetic", ex.RECTANGLE)
def quotient_is_the_product():
    return method(Operator, "__truediv__", lambda divide, self, divisor: self * divisor)


@planted(PLANTED, "vectors", ex.three_terms)
def last_term_forgotten():
    return method(Sum, "_matmat", lambda kernel, self, x: kernel(Sum(*self.terms[:-1]), x))


@planted(PLANTED, "dense form", ex.three_terms)
def last_term_forgotten_in_the_matrix():
    return rule(rules.to_dense, Sum, wrong=lambda known, a: known(Sum(*a.terms[:-1])))


@planted(PLANTED, "factors of a product", ex.RECTANGLE)
def scalar_dropped_in_a_product():
    return rule(rules.compose, Operator, Scaled, wrong=lambda known, a, b: a @ b.base)


@planted(PLANTED, "squares", ex.COMPLEX_KRONECKER)
def mixed_product_the_wrong_way_round():
    def wrong(known, a, b):
        return Kronecker(*(right @ left for left, right in zip(a.factors, b.factors, strict=True)))

    return rule(rules.compose, Kronecker, Kronecker, wrong=wrong)


@planted(PLANTED, "squares", ex.khatri_rao)
def gram_without_conjugate():
    def wrong(known, a, b):
        return (a.left.swapaxes(-1, -2) @ b.left) * (adjoint(a.right) @ b.right)

    return rule(rules.gram, KhatriRao, KhatriRao, wrong=wrong)


@planted(PLANTED, "damping", ex.SQUARE)
def damping_added_twice():
    def wrong(known, a, c):
        return Dense(a.array + 2 * c * a.kind.eye(a.shape[0]))

    return rule(rules.shift, Matrix, wrong=wrong)


@planted(PLANTED, "damping", ex.SYMMETRIC)
def damping_added_per_factor():
    def wrong(known, a, c):
        return Kronecker(*(factor.damped(c**0.5) for factor in a.factors))

    return rule(rules.shift, Kronecker, wrong=wrong)


@planted(PLANTED, "damping", ex.shifted)
def damping_added_to_every_term():
    def wrong(known, a, c):
        return Sum(*(rules.shift(term, c) for term in a.terms))

    return rule(rules.shift, Sum, wrong=wrong)


@planted(PLANTED, "damping", ex.definite)
def factors_kept_after_damping():
    def wrong(known, a, c):
        damped = copy.copy(a)  # and with it what is kept
        damped.array = a.array + c * a.kind.eye(a.shape[0])
        damped.parts = (damped.array,)
        return damped

    return rule(rules.shift, Dense, wrong=wrong)


@planted(PLANTED, "damping", ex.DEFINITE)
@contextmanager
def first_damping_kept_for_all():
    def wrong(known, a, c):
        return a._once("damped", lambda: Dense(a.array + c * a.kind.eye(a.shape[0])))

    with rule(rules.shift, Matrix, wrong=wrong):
        yield
