"""The two ways in which a factorisation fails, as exceptions of their own."""


class NotPositiveDefiniteError(ValueError):
    """A matrix that was to be positive (semi-)definite has a negative eigenvalue."""


class SingularMatrixError(ValueError):
    """A matrix that was to be inverted is singular to working precision."""
