"""Faults in the kernels of products."""

import numpy as np

import kronlin.operators.stacks
from kronlin.operators import Diagonal, KhatriRao, Kronecker
from kronlin.operators.partition import Partition
from tests.faults import examples as ex
from tests.faults.examples import Matrix
from tests.faults.fault import Fault, method, planted

PLANTED: list[Fault] = []


@planted(PLANTED, "untouched inputs", ex.RECTANGLE)
def writes_into_its_argument():
    def wrong(kernel, self, x):
        y = kernel(self, x)
        x *= 0
        return y

    return method(Matrix, "_matmat", wrong)


@planted(PLANTED, "repeatability", ex.RECTANGLE)
def writes_into_its_own_array():
    def wrong(kernel, self, x):
        self.array *= 1.01
        return kernel(self, x)

    return method(Matrix, "_matmat", wrong)


@planted(PLANTED, "results stay", ex.RECTANGLE)
def returns_its_buffer():
    def wrong(kernel, self, x):
        y = kernel(self, x)
        self.buffer = vars(self).get("buffer", {})
        kept = self.buffer.setdefault(y.shape, np.empty_like(y))
        kept[...] = y
        return kept

    return method(Matrix, "_matmat", wrong)


@planted(PLANTED, "repeatability", ex.RECTANGLE)
def is_random():
    random = np.random.default_rng(0)
    return method(Matrix, "_matmat", lambda kernel, self, x: kernel(self, x) * (1 + 1e-14 * random.standard_normal()))


@planted(PLANTED, "linearity", ex.RECTANGLE)
def is_not_linear():
    return method(Matrix, "_matmat", lambda kernel, self, x: kernel(self, abs(x)))


@planted(PLANTED, "blocks", ex.RECTANGLE)
def first_column_for_all():
    return method(Matrix, "_matmat", lambda kernel, self, x: kernel(self, np.repeat(x[:, :1], x.shape[1], axis=1)))


@planted(PLANTED, "form", ex.RECTANGLE)
def squeezes_a_single_column():
    return method(Matrix, "_matmat", lambda kernel, self, x: np.squeeze(kernel(self, x)))


@planted(PLANTED, "form", ex.RECTANGLE)
def loops_over_no_columns():
    def wrong(kernel, self, x):
        return np.stack([self.array @ x[:, j] for j in range(x.shape[1])], axis=1)

    return method(Matrix, "_matmat", wrong)


@planted(PLANTED, "form", ex.diagonal)
def vector_broadcast_against_a_block():
    return method(Diagonal, "_matmat", lambda kernel, self, x: self.entries * x)


@planted(PLANTED, "vectors", ex.RECTANGLE)
def not_a_number_for_zero():
    def wrong(kernel, self, x):
        with np.errstate(invalid="ignore", divide="ignore"):
            length = np.linalg.norm(x, axis=0)
            return kernel(self, x / length) * length

    return method(Matrix, "_matmat", wrong)


@planted(PLANTED, "vectors", ex.RECTANGLE)
def rows_reversed():
    return method(Matrix, "_matmat", lambda kernel, self, x: kernel(self, x)[::-1])


@planted(PLANTED, "vectors", ex.UNEQUAL)
def kronecker_factors_swapped():
    def wrong(kernel, self, x):
        return kernel(Kronecker._make(*reversed(self.factors)), x)

    return method(Kronecker, "_matmat", wrong)


@planted(PLANTED, "vectors", ex.UNEQUAL)
def vec_in_column_major_order():
    def wrong(kernel, self, x):
        a, b = (factor.array for factor in self.factors)
        images = [a @ column.reshape(2, 3, order="F") @ b.T for column in x.T]
        return np.stack([image.ravel(order="F") for image in images], axis=1) if images else kernel(self, x)

    return method(Kronecker, "_matmat", wrong)


@planted(PLANTED, "vectors", ex.stack)
def split_off_by_one():
    def wrong(split, x, sizes):
        return [np.roll(piece, 1, axis=0) if i else piece for i, piece in enumerate(split(x, sizes))]

    return method(kronlin.operators.stacks, "split_rows", wrong)


@planted(PLANTED, "vectors", ex.blocks)
def blocks_left_in_bucket_order():
    return method(Partition, "_order", lambda order, self: None)


@planted(PLANTED, "vectors", ex.khatri_rao)
def khatri_rao_columns_out_of_step():
    def wrong(kernel, self, x):
        return kernel(KhatriRao._make(self.left[..., ::-1], self.right), x)

    return method(KhatriRao, "_matmat", wrong)
