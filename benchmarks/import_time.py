"""Question: how long does `import kronlin` take, beside the libraries that it stands on."""

import subprocess
import sys
import time
from statistics import median

from harness import report

STATEMENTS = {
    "numpy + scipy": "import numpy, scipy.linalg, scipy.sparse.linalg",
    "kronlin": "import kronlin",
}


def seconds(statement: str) -> float:
    """Seconds of a fresh interpreter that runs one statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main(rounds: int = 11) -> None:
    """Measure in turn, so that both see the same machine."""
    samples: dict[str, list[float]] = {name: [] for name in ["python", *STATEMENTS]}
    for counted in [False] + [True] * rounds:
        for name in samples:
            taken = seconds(STATEMENTS.get(name, "pass"))
            if counted:
                samples[name].append(taken)
    empty = median(samples["python"])
    base = median(samples["numpy + scipy"]) - empty
    report(
        "import_time",
        [
            {"what": name, "ms": 1e3 * (median(samples[name]) - empty), "ratio": (median(samples[name]) - empty) / base}
            for name in STATEMENTS
        ],
    )


if __name__ == "__main__":
    main()
