"""Tests of kronlin.algebra.product."""
