"""Tests of kronlin.algebra.scaled."""
