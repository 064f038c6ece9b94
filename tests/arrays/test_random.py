"""Random arrays: the same numbers in every library, of the right distribution."""

import numpy as np

from kronlin.arrays import kind, random_normal, random_signs
from tests.matrices import each_dtype


@each_dtype()
def test_the_same_in_every_library(lib, dtype):
    own = kind(lib.asarray(np.zeros(1), dtype))
    for draw in (random_normal, random_signs):
        x = draw(own, (3, 2), 7)
        assert lib.owns(x)
        assert kind(x) == own
        np.testing.assert_array_equal(lib.numpy(x), draw(kind(np.zeros(1, dtype)), (3, 2), 7))
        assert not np.array_equal(lib.numpy(x), lib.numpy(draw(own, (3, 2), 8)))


def test_moments():
    n = 40000
    for draw in (random_normal, random_signs):
        x = draw(kind(np.zeros(1)), (n,), 0)
        assert abs(x.mean()) < 4 / n**0.5
        assert abs((x**2).mean() - 1) < 4 * 2**0.5 / n**0.5
    z = random_normal(kind(np.zeros(1, "complex128")), (n,), 0)
    assert abs(np.mean(z * z)) < 8 / n**0.5
    assert abs(np.mean(abs(z) ** 2) - 2) < 8 / n**0.5
    assert set(random_signs(kind(np.zeros(1, "complex64")), (n,), 0)) == {1, -1}
