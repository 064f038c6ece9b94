"""Tests of kronlin.algebra.structure."""
