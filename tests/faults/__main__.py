"""Print every planted fault and the law that catches it."""

from tests.faults import FAULTS

if __name__ == "__main__":
    caught = [fault.caught_by() for fault in FAULTS]
    width = max(len(fault.title) for fault in FAULTS)
    for fault, law in zip(FAULTS, caught, strict=True):
        print(f"{fault.title:{width}}  {law or 'NOT CAUGHT'}")
    print(f"{sum(law is not None for law in caught)} of {len(FAULTS)} planted faults are caught")
