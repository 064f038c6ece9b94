"""Faults in adjoints, transposes and conjugates."""

from kronlin.algebra import Adjoint, Conjugate, Operator, Product, Scaled, rules
from kronlin.curvature import FisherRoot
from kronlin.operators import KhatriRao, LowRank
from tests.faults import examples as ex
from tests.faults.examples import Matrix
from tests.faults.fault import Fault, method, planted, rule

PLANTED: list[Fault] = []


@planted(PLANTED, "dot test", ex.COMPLEX)
def adjoint_without_conjugate():
    return method(Matrix, "_rmatmat", lambda kernel, self, y: self.array.T @ y)


@planted(PLANTED, "dot test", ex.SQUARE)
def adjoint_is_the_operator_itself():
    return method(Matrix, "_rmatmat", lambda kernel, self, y: self.array @ y)


@planted(PLANTED, "dot test", ex.RECTANGLE)
def adjoint_of_the_wrong_sign():
    return method(Matrix, "_rmatmat", lambda kernel, self, y: -kernel(self, y))


@planted(PLANTED, "dot test", ex.khatri_rao)
def khatri_rao_adjoint_without_conjugate():
    return method(KhatriRao, "_rmatmat", lambda kernel, self, y: kernel(rules.conjugate(self), y))


@planted(PLANTED, "dot test", ex.fisher_root)
def fisher_root_adjoint_of_swapped_arrays():
    def wrong(kernel, self, y):
        return kernel(FisherRoot._make(self.output_gradients[:, :, 0], self.inputs[:, :, None]), y)

    return method(FisherRoot, "_rmatmat", wrong)


@planted(PLANTED, "vectors", ex.low_rank)
def low_rank_factor_transposed():
    def wrong(kernel, self, x):
        return self.U._matmat(self.C._matmat(self.V.T._matmat(x)))

    return method(LowRank, "_matmat", wrong)


@planted(PLANTED, "dot test", ex.low_rank_square)
def low_rank_core_not_turned():
    return rule(rules.adjoint, LowRank, wrong=lambda known, a: a)


@planted(PLANTED, "arithmetic", ex.COMPLEX)
def adjoint_of_a_multiple_keeps_the_factor():
    return rule(rules.adjoint, Scaled, wrong=lambda known, a: rules.scale(a.base.H, a.factor))


@planted(PLANTED, "dot test", ex.product)
def adjoint_of_a_product_in_the_same_order():
    return rule(rules.adjoint, Product, wrong=lambda known, a: Product(*(factor.H for factor in a.factors)))


@planted(PLANTED, "dot test", ex.conjugated)
def conjugate_of_the_result_alone():
    return method(Conjugate, "_matmat", lambda kernel, self, x: self.base._matmat(x).conj())


@planted(PLANTED, "adjoint", ex.COMPLEX)
def transpose_is_the_adjoint():
    return rule(rules.conjugate, Operator, wrong=lambda known, a: a)


@planted(PLANTED, "products from the left", ex.COMPLEX)
def product_from_the_left_is_with_the_adjoint():
    return method(Operator, "__rmatmul__", lambda multiply, self, x: (self.H @ x.T).T)


@planted(PLANTED, "of the adjoint", ex.COMPLEX)
def norm_of_the_adjoint_squared():
    return rule(rules.norm, Adjoint, wrong=lambda known, a: known(a) ** 2)
