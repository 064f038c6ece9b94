"""Tests of the JAX source; all of them need jax, but for that of the door."""
