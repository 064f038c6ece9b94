"""The public test kit: laws of an operator and of a source; random operators in `kronlin.testing.strategies`."""

from kronlin.testing._check import check_operator
from kronlin.testing._check_source import check_source
from kronlin.testing._dottest import dottest

__all__ = ["check_operator", "check_source", "dottest"]
