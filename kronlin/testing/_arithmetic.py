"""The laws of arithmetic: what A forms with numbers and with itself."""

from kronlin.testing._case import Case
from kronlin.testing._derived import essentials


def arithmetic(case: Case) -> None:
    """2 A, c A, -A, A / 2, A + A and A - A are those of the dense matrix."""
    op, dense = case.op, case.dense
    results = [
        ("(2 * {})", 2 * op, 2 * dense),
        ("(-{})", -op, -dense),
        ("({} / 2)", op / 2, dense / 2),
        ("({0} + {0})", op + op, 2 * dense),
        ("({0} - {0})", op - op, 0 * dense),
    ]
    if case.kind.is_complex:
        results.append(("((1 + 2j) * {})", (1 + 2j) * op, (1 + 2j) * dense))
    for name, got, expected in results:
        essentials(case.derived(name, got, expected, 3 * case.size))
