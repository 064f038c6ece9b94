"""Tests of kronlin.algebra.identity."""
