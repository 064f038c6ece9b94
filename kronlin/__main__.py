"""`python -m kronlin`."""

import sys

from kronlin.cli import main

if __name__ == "__main__":
    sys.exit(main())
