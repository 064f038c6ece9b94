"""The tests; `tests/a/test_b.py` is the twin of `kronlin/a/b.py`."""
