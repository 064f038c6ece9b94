"""Faults that show only beside other operators: in a bucket of equal blocks, or in state that operators share."""

from contextlib import contextmanager

import kronlin.storage._save
from kronlin.algebra import rules
from kronlin.operators import Dense, Kronecker
from tests.faults import examples as ex
from tests.faults.examples import Matrix
from tests.faults.fault import Fault, method, planted, rule

PLANTED: list[Fault] = []
BUCKET = "blocks of a block diagonal"


@planted(PLANTED, BUCKET, ex.RECTANGLE)
def blocks_of_a_bucket_exchanged():
    return method(Matrix, "_matmat", lambda kernel, self, x: (self.array[[1, 0, 2]] if self.batch else self.array) @ x)


@planted(PLANTED, BUCKET, ex.RECTANGLE)
def first_block_of_a_bucket_for_all():
    return method(Matrix, "_matmat", lambda kernel, self, x: (self.array[0] if self.batch else self.array) @ x)


@planted(PLANTED, BUCKET, ex.RECTANGLE)
def axes_counted_from_the_front():
    return method(Matrix, "_rmatmat", lambda kernel, self, y: self.array.T @ y)


@planted(PLANTED, BUCKET, ex.SQUARE)
def trace_summed_over_the_bucket():
    def wrong(known, a):
        xp = a.kind.xp
        return xp.sum(xp.linalg.diagonal(a.array))

    return rule(rules.trace, Matrix, wrong=wrong)


@planted(PLANTED, "storage", ex.definite)
def promise_lost_in_the_file():
    def wrong(record, self, a, wholes):
        return {**record(self, a, wholes), "promised": [None, None, None]}

    return method(kronlin.storage._save.Writer, "_record", wrong)


@planted(PLANTED, "factors of a kronecker product", ex.RECTANGLE)
def kronecker_product_forgets_the_identity():
    return rule(rules.to_dense, Kronecker, wrong=lambda known, a: a.factors[0].to_dense())


@planted(PLANTED, "terms of a sum", ex.RECTANGLE)
def sum_forgets_its_second_term():
    return rule(rules.add, Matrix, Dense, wrong=lambda known, a, b: a)


@planted(PLANTED, "independence", ex.RECTANGLE)
@contextmanager
def array_kept_with_the_class():
    def wrong(init, self, array):
        init(self, array)
        del self.array
        Matrix.array = array

    Matrix.array = None
    with method(Matrix, "__init__", wrong):
        yield
    del Matrix.array
