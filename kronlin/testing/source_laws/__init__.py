"""The laws of a gradient source; `check_source` goes through them."""
