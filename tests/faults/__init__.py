"""The seeded-fault experiment: realistic mistakes, planted one at a time, each of which check_operator must catch.

`python -m tests.faults` prints them with the law that speaks up.
"""

from tests.faults import adjoints, company, inverses, kinds, products, promises, scalars, sums
from tests.faults.fault import Fault

FAULTS: tuple[Fault, ...] = tuple(
    fault for room in (products, kinds, adjoints, sums, scalars, inverses, promises, company) for fault in room.PLANTED
)
