"""Tests of kronlin.algebra.zero."""
