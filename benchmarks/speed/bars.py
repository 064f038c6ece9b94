"""The bars: what kronlin sets itself to reach in each question; one that is missed says why."""

from speed.bar import (
    Bar,
    by_limit,
    by_limit_of,
    largest,
    residual_by,
    share_of,
    share_of_best,
    sixteen_by_one,
    times_faster_than,
    worst_share_of_best,
)


def case(net: str, dtype: str = "float32", vectors: int = 1, **more: object) -> dict[str, object]:
    """The facts of a contest."""
    return {"net": net, "dtype": dtype, "vectors": vectors, **more}


def single(net: str, **more: object) -> dict[str, object]:
    """The facts of a contest in single precision, where no vector counts."""
    return {"net": net, "dtype": "float32", **more}


LIMIT = "× limit"
FASTER = "× faster than"
TIME = "× the time of"
PRODUCTS = "× its products"
FLAT = "× the time per parameter of 8"
BY_SCIPY, BY_CURVLINOPS = "scipy's CG with kronlin's product", "curvlinops' CG"
QUICKER = (
    "The bar was set where curvlinops took several times as long beside the limit as it does here; "
    "kronlin takes about the time of stacks written by hand."
)
CHECKED = (
    "LAPACK alone takes less than the bar leaves; the rest goes into looks at the factors (finite, Hermitian) and into "
    "copies of their Hermitian parts, which CoLA does not make."
)
ONE_LARGE = (
    "Most of it is one decomposition of a 785 × 785 matrix, for which LAPACK in SciPy's build takes about as long by "
    "itself as the best peer in all; to make and to check 64 blocks comes on top."
)
CALLS = "A step takes about a tenth of a millisecond of Python beside its products."
PRODUCTS_OF_MATRICES = (
    "On this net the product with one vector is a product of matrices already, so that sixteen vectors are sixteen "
    "times the work."
)
CACHE = (
    "Up to 64 layers the time per parameter falls; from about a hundred on the factors and the vectors between two "
    "products no longer fit the processor's own caches, most likely, and memory sets the pace."
)
SMALL_PRODUCTS = "Missed at width 128 only, where matrices are too small for the rate of a large product."
BARS = [
    Bar("Apply, net a, 1 vector", LIMIT, "apply", by_limit, 1.4, case("a")),
    Bar("Apply, net a, 16 vectors", LIMIT, "apply", by_limit, 1.5, case("a", vectors=16)),
    Bar("Apply, net b", f"{FASTER} CoLA", "apply", times_faster_than("CoLA"), 10, case("b"), True),
    Bar("Apply, net b", f"{FASTER} curvlinops", "apply", times_faster_than("curvlinops"), 25, case("b"), True, QUICKER),
    Bar("Apply, net b", f"{TIME} stacks by hand", "apply", share_of("NumPy, stacked by hand"), 1.2, case("b")),
    Bar("Set-up, exact, net a", f"{TIME} curvlinops", "setup", share_of("curvlinops"), 0.95, single("a", work="exact")),
    Bar(
        "Set-up, exact, net a, float64",
        f"{TIME} curvlinops",
        "setup",
        share_of("curvlinops"),
        0.95,
        {"net": "a", "dtype": "float64", "work": "exact"},
    ),
    Bar(
        "Set-up, factored, net a",
        f"{TIME} CoLA",
        "setup",
        share_of("CoLA"),
        0.75,
        single("a", work="factored"),
        why=CHECKED,
    ),
    Bar(
        "Set-up, exact, net b",
        f"{TIME} the best peer",
        "setup",
        share_of_best,
        1.0,
        single("b", work="exact"),
        why=ONE_LARGE,
    ),
    Bar("Damped inverse, net a", LIMIT, "apply_inverse", by_limit, 1.45, case("a", damping="exact")),
    Bar(
        "Damped inverse, net b, float64",
        f"{FASTER} curvlinops",
        "apply_inverse",
        times_faster_than("curvlinops"),
        15,
        case("b", "float64", damping="exact"),
        True,
        QUICKER,
    ),
    Bar("Fisher product, net a", LIMIT, "fisher_product", by_limit, 1.8, case("a")),
    Bar(
        "Fisher product, net a",
        f"{FASTER} curvlinops",
        "fisher_product",
        times_faster_than("curvlinops"),
        3,
        case("a"),
        True,
    ),
    Bar(
        "Fisher solve",
        f"{FASTER} {BY_SCIPY}",
        "fisher_solve",
        times_faster_than(BY_SCIPY),
        50,
        single("a"),
        True,
    ),
    Bar(
        "Fisher solve",
        f"{FASTER} {BY_CURVLINOPS}",
        "fisher_solve",
        times_faster_than(BY_CURVLINOPS),
        50,
        single("a"),
        True,
    ),
    Bar("Fisher solve", f"× residual of {BY_SCIPY}", "fisher_solve", residual_by(BY_SCIPY), 1, single("a")),
    Bar(
        "Fisher solve",
        f"× residual of {BY_CURVLINOPS}",
        "fisher_solve",
        residual_by(BY_CURVLINOPS),
        1,
        single("a"),
    ),
    Bar(
        "Trace, determinant, diagonal",
        f"{TIME} the best peer, at worst",
        "scalars",
        worst_share_of_best,
        1.0,
        why=(
            "At worst the first determinant of the damped Fisher matrix of many small layers: kronlin makes their Gram "
            "matrices layer by layer and in double precision, linear_operator takes one product of all columns, which "
            "were formed before. The trace of a few large blocks is made of short calls alone."
        ),
    ),
    Bar("Import", "× NumPy and SciPy", "importing", by_limit, 1.3),
    Bar("Step of CG with K-FAC, net a", PRODUCTS, "krylov", by_limit, 1.1, case("a", M="K-FAC")),
    Bar("Step of CG with K-FAC, net b", PRODUCTS, "krylov", by_limit, 1.1, case("b", M="K-FAC"), why=CALLS),
    Bar(
        "16 right-hand sides, net a",
        "× the time of one",
        "krylov",
        sixteen_by_one,
        10,
        single("a", M="K-FAC"),
        why=PRODUCTS_OF_MATRICES,
    ),
    Bar("16 right-hand sides, net b", "× the time of one", "krylov", sixteen_by_one, 10, single("b", M="K-FAC")),
    Bar("Set-up of BNN, net a", "× F", "two_level", by_limit_of("set-up, BNN"), 3, single("a")),
    Bar("Set-up of BNN, net b", "× F", "two_level", by_limit_of("set-up, BNN"), 3, single("b")),
    Bar("Application of BNN, net a", PRODUCTS, "two_level", by_limit_of("application, BNN"), 1.25, single("a")),
    Bar("Application of BNN, net b", PRODUCTS, "two_level", by_limit_of("application, BNN"), 1.25, single("b")),
    Bar("8 to 512 layers 10 × 11", FLAT, "growth", largest("by the fewest"), 1.3, case("10 × 11", question="layers")),
    Bar(
        "8 to 512 layers 64 × 65",
        FLAT,
        "growth",
        largest("by the fewest"),
        1.3,
        case("64 × 65", question="layers"),
        why=CACHE,
    ),
    Bar(
        "Widths 128 to 2048",
        LIMIT,
        "growth",
        largest("by limit"),
        1.4,
        case("one block", question="widths"),
        why=SMALL_PRODUCTS,
    ),
]
