"""Faults in what an operator says of itself."""

from kronlin.algebra import Scaled
from kronlin.algebra.properties import PD, PSD, SELF_ADJOINT, properties
from tests.faults import examples as ex
from tests.faults.examples import Matrix
from tests.faults.fault import Fault, method, planted

PLANTED: list[Fault] = []
INDEFINITE = ex.user(ex.np.diag([1.0, -1.0, 2.0]))
SINGULAR = ex.user(ex.np.diag([1.0, 0.0, 2.0]))


@planted(PLANTED, "promises", INDEFINITE)
def psd_with_a_negative_eigenvalue():
    return method(Matrix, "_derive", lambda derive, self: PSD)


@planted(PLANTED, "promises", SINGULAR)
def pd_with_the_eigenvalue_zero():
    return method(Matrix, "_derive", lambda derive, self: PD)


@planted(PLANTED, "promises", ex.DEFINITE)
def pd_denied():
    return method(Matrix, "_derive", lambda derive, self: properties(psd=False))


@planted(PLANTED, "promises", ex.DEFINITE)
def self_adjointness_denied():
    return method(Matrix, "_derive", lambda derive, self: properties(self_adjoint=False))


@planted(PLANTED, "dot test", ex.SQUARE)
def self_adjoint_but_is_not():
    return method(Matrix, "_derive", lambda derive, self: SELF_ADJOINT)


@planted(PLANTED, "promises", ex.negative_multiple)
def definiteness_kept_under_a_negative_factor():
    return method(Scaled, "_derive", lambda derive, self: self.base.properties)
