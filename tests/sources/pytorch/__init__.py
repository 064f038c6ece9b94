"""Tests of the PyTorch source; all of them need torch, but for that of the door."""
