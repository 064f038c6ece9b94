"""The two ways in which a factorisation fails, as exceptions of their own."""


class NotPositiveDefiniteError(ValueError):
    """A matrix that was to be positive (semi-)definite has a negative eigenvalue.

    >>> import numpy as np, kronlin as kl
    >>> kl.assume(np.diag([1.0, -1.0]), "psd").sqrt()
    Traceback (most recent call last):
    kronlin.arrays._errors.NotPositiveDefiniteError: Dense(2×2, float64, psd) was promised to be psd, but ...
    """


class SingularMatrixError(ValueError):
    """A matrix that was to be inverted is singular to working precision.

    >>> import numpy as np, kronlin as kl
    >>> kl.Diagonal(np.array([1.0, 0.0])).inverse()
    Traceback (most recent call last):
    kronlin.arrays._errors.SingularMatrixError: Diagonal(2×2, float64, psd) has no inverse (an entry is zero): ...
    """
