"""Two-level methods on a grid: the problems, the methods, and what is printed of them."""
