"""How fast kronlin is beside its peers and beside the machine: one question a file, run as `python -m speed.<file>`."""
