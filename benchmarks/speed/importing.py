"""The time and memory of `import kronlin`, and of a first product, beside peers and what it stands on.

Every measurement is a fresh interpreter. The limit is NumPy and SciPy's sparse solvers, which kronlin stands on; the
time of an interpreter that does nothing is subtracted from all. The first product is that of the block-diagonal
Kronecker operator of net a, made of NumPy arrays by the public classes of each library; curvlinops makes its factors
from a model and one example. What is subtracted there is an interpreter that makes these arrays.

Run `python -m speed.importing` in this folder's parent (two minutes).
"""

import subprocess
import sys
import time
from importlib.util import find_spec
from statistics import median

from harness import report

from speed import contest
from speed.workloads import NETS

NET, DTYPE = "a", "float32"
BASE = "numpy + scipy"
IMPORTS = {
    BASE: "import numpy, scipy.linalg, scipy.sparse.linalg",
    "kronlin": "import kronlin",
    "curvlinops": "import curvlinops",
    "CoLA": "import cola",
    "PyLops": "import pylops",
    "linear_operator": "import linear_operator",
    "lineax": "import lineax",
    "nngeometry": "import nngeometry",
    "pykronecker": "import pykronecker",
}
DATA = f"""
import numpy
random = numpy.random.default_rng(0)
normal = lambda *shape: random.standard_normal(shape, dtype=numpy.{DTYPE})
shapes = {NETS[NET]}
factors = [(normal(m, m), normal(n, n)) for m, n in shapes]
x = normal(sum(m * n for m, n in shapes))
"""
SPLIT = "torch.split(torch.from_numpy(x), [m * n for m, n in shapes])"
PRODUCTS = {
    BASE: """
from scipy.sparse.linalg import LinearOperator
ends = numpy.cumsum([m * n for m, n in shapes])[:-1]
def product(x):
    parts = zip(factors, shapes, numpy.split(x, ends))
    return numpy.concatenate([(g @ part.reshape(shape) @ a.T).ravel() for (g, a), shape, part in parts])
y = LinearOperator((len(x), len(x)), matvec=product, dtype=x.dtype) @ x
""",
    "kronlin": """
import kronlin as kl
y = kl.BlockDiagonal([kl.Kronecker(g, a) for g, a in factors]) @ x
""",
    "CoLA": """
import cola, torch
dense = lambda a: cola.ops.Dense(torch.from_numpy(a))
y = cola.ops.BlockDiag(*[cola.ops.Kronecker(dense(g), dense(a)) for g, a in factors]) @ torch.from_numpy(x)
""",
    "PyLops": """
import pylops
dense = lambda a: pylops.MatrixMult(a, dtype=a.dtype)
blocks = [pylops.Kronecker(dense(g), dense(a), dtype=x.dtype) for g, a in factors]
y = pylops.BlockDiag(blocks, dtype=x.dtype) @ x
""",
    "curvlinops": """
import curvlinops, torch
model = torch.nn.Sequential(*[torch.nn.Linear(n - 1, m) for m, n in shapes])
data = [(torch.from_numpy(normal(1, shapes[0][1] - 1)), torch.from_numpy(normal(1, shapes[-1][0])))]
parameters = list(model.parameters())
kfac = curvlinops.KFACLinearOperator(
    model, torch.nn.MSELoss(), parameters, data, fisher_type="empirical", separate_weight_and_bias=False
)
y = kfac @ torch.from_numpy(x)
""",
    "linear_operator": f"""
import linear_operator, torch
dense = lambda a: linear_operator.to_linear_operator(torch.from_numpy(a))
blocks = [linear_operator.operators.KroneckerProductLinearOperator(dense(g), dense(a)) for g, a in factors]
y = torch.cat([block @ part for block, part in zip(blocks, {SPLIT})])
""",
    "pykronecker": """
import pykronecker
y = pykronecker.KroneckerBlockDiag([pykronecker.KroneckerProduct([g, a]) for g, a in factors]) @ x
""",
}
END = "\nimport sys\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], len(sys.modules))"


def run(statement: str) -> tuple[float, float, int]:
    """Seconds, peak of the memory in MB, and modules of a fresh interpreter that runs one statement."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", statement + END], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    peak, modules = done.stdout.split()[-2:]
    return seconds, int(peak) / 1024, int(modules)


def measured(statements: dict[str, str], rounds: int) -> dict[str, list[tuple[float, float, int]]]:
    """What each took in each round, in turn."""
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in statements}
    for _ in range(rounds):
        for name, statement in statements.items():
            found[name].append(run(statement))
    return found


def seconds(found: list[tuple[float, float, int]], empty: list[tuple[float, float, int]]) -> list[float]:
    """The time in each round beyond that of an interpreter that does less."""
    return [own[0] - none[0] for own, none in zip(found, empty, strict=True)]


def megabytes(found: list[tuple[float, float, int]], empty: list[tuple[float, float, int]]) -> float:
    """The peak of the memory beyond that of an interpreter that does less."""
    return median(own[1] for own in found) - median(none[1] for none in empty)


def main(rounds: int = 6) -> None:
    """Measure the imports, then a first product in a fresh interpreter; libraries that are not here are left out."""
    here = [who for who, statement in IMPORTS.items() if find_spec(statement.split()[1].strip(","))]
    imports = measured({"nothing": "pass"} | {who: IMPORTS[who] for who in here}, rounds)
    imports = {who: found[1:] for who, found in imports.items()}  # the first round fills the cache of files
    products = measured({"nothing": DATA} | {who: DATA + PRODUCTS[who] for who in here if who in PRODUCTS}, rounds // 2)
    none = imports["nothing"]
    taken = {who: seconds(imports[who], none) for who in here}
    rows = []
    for row in contest.rows(taken, BASE, question="importing"):
        who = str(row["who"])
        row |= {"modules": imports[who][0][2], "MB": megabytes(imports[who], none)}
        first, data = products.get(who), products["nothing"]
        row["ms to a product"] = 1e3 * median(seconds(first, data)) if first else None
        row["MB of a product"] = megabytes(first, data) if first else None
        rows.append(row)
    absent = contest.absent_rows([who for who in IMPORTS if who not in here], question="importing")
    report("speed_importing", rows + [dict.fromkeys(rows[0]) | row for row in absent])


if __name__ == "__main__":
    main()
