"""The time of kronlin alone from commit to commit, for asv; beside peers and the machine it is a matter of `speed`."""

import sys
from pathlib import Path

# asv imports this folder by itself; the nets are those of the speed questions
sys.path.append(str(Path(__file__).parents[1]))
