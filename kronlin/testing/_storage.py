"""The law of storage: A in a file and back."""

import tempfile
from pathlib import Path

from kronlin.storage import load, save
from kronlin.testing._case import Case
from kronlin.testing._derived import essentials
from kronlin.testing._moves import can_move, everything, moved


def storage(case: Case) -> None:
    """What kl.load reads is what kl.save wrote: the same type, with the same promises.

    What holds something that no file can, such as a function or an object of another library, is excused.
    """
    if not can_move(case.op):
        return
    classes = {type(part) for part in everything(case.op)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "operator"
        try:
            save(path, case.op)
        except TypeError:
            return
        twin = moved(case, "saved and loaded", lambda: load(path, to=case.kind.zeros(0), classes=classes))
    case.expect(type(twin.op) is type(case.op), f"A is a {type(case.op).__name__}, loaded a {type(twin.op).__name__}")
    case.expect(twin.op.properties == case.op.properties, f"A promises {case.op.properties}, not {twin.op.properties}")
    case.expect_kind(twin.name, twin.kind, case.kind)
    essentials(twin)
