"""Faults in dtype, precision and device."""

import array_api_strict
import numpy as np

import kronlin.operators.spectral
from kronlin.algebra import Operator
from kronlin.storage import _save
from tests.faults import examples as ex
from tests.faults.examples import Matrix, Weighted
from tests.faults.fault import Fault, method, planted

PLANTED: list[Fault] = []


@planted(PLANTED, "form", ex.SINGLE)
def double_leaks_into_single():
    return method(Matrix, "_matmat", lambda kernel, self, x: self.array.astype("float64") @ x)


@planted(PLANTED, "vectors", ex.RECTANGLE)
def array_rounded_to_single():
    return method(Matrix, "_matmat", lambda kernel, self, x: self.array.astype("float32").astype("float64") @ x)


@planted(PLANTED, "vectors", ex.RECTANGLE)
def argument_rounded_to_single():
    return method(Matrix, "_matmat", lambda kernel, self, x: self.array @ x.astype("float32").astype("float64"))


@planted(PLANTED, "form", ex.COMPLEX)
def complex_result_made_real():
    return method(Matrix, "_matmat", lambda kernel, self, x: np.real(kernel(self, x)))


@planted(PLANTED, "mixed arguments", ex.RECTANGLE)
def imaginary_part_of_the_argument_dropped():
    def wrong(apply, self, x):
        return apply(self, x.real).astype(x.dtype) if np.iscomplexobj(x) else apply(self, x)

    return method(Operator, "_apply", wrong)


@planted(PLANTED, "form", ex.on_another_device)
def device_lost():
    def wrong(kernel, self, x):
        return kernel(self, x).to_device(array_api_strict.Device("CPU_DEVICE"))

    return method(Matrix, "_matmat", wrong)


@planted(PLANTED, "spectra", ex.definite_single)
def eigenvalues_left_in_double():
    def wrong(decompose, a):
        w, q = decompose(a)
        return w.astype("float64"), q

    return method(kronlin.operators.spectral, "eigh", wrong)


@planted(PLANTED, "precisions", ex.weighted)
def option_not_declared():
    def wrong(init, self, array, weight=1.0):
        init(self, array, weight)
        del self.options["weight"]

    return method(Weighted, "__init__", wrong)


@planted(PLANTED, "libraries", ex.RECTANGLE)
def numpy_inside_a_kernel():
    def wrong(kernel, self, x):
        return np.einsum("ij,jk->ik", self.array, x) if self.array.ndim == 2 else kernel(self, x)

    return method(Matrix, "_matmat", wrong)


@planted(PLANTED, "storage", ex.RECTANGLE)
def stored_in_single_precision():
    def wrong(convert, array, target):
        return convert(array, target).astype("float32")

    return method(_save, "convert", wrong)
