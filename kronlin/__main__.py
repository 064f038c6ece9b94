"""`python -m kronlin`."""

import sys

from kronlin.cli import main

sys.exit(main())
