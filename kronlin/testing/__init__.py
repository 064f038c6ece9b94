"""The public test kit: the laws of an operator, and in `kronlin.testing.strategies` random operators."""

from kronlin.testing._check import check_operator
from kronlin.testing._dottest import dottest

__all__ = ["check_operator", "dottest"]
