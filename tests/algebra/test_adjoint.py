"""Tests of kronlin.algebra.adjoint."""
