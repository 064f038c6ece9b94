"""The exceptions of a failed factorisation."""

import numpy as np
import pytest

from kronlin.arrays import NotPositiveDefiniteError, SingularMatrixError


@pytest.mark.parametrize("error", [NotPositiveDefiniteError, SingularMatrixError])
def test_is_caught_with_other_bad_values(error):
    with pytest.raises(ValueError, match="why"):
        raise error("why")


def test_neither_is_taken_for_the_other_nor_for_a_failure_of_lapack():
    assert not issubclass(NotPositiveDefiniteError, SingularMatrixError)
    assert not issubclass(SingularMatrixError, NotPositiveDefiniteError)
    assert not issubclass(SingularMatrixError, np.linalg.LinAlgError)
