"""Tests of kronlin.algebra.functions."""
