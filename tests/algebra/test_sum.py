"""Tests of kronlin.algebra.sum."""
