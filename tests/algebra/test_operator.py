"""Tests of kronlin.algebra.operator."""
