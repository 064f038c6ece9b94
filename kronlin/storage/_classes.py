"""The classes of operators under the names by which files know them."""

from collections.abc import Iterable, Iterator

from kronlin.algebra import Operator


def class_name(cls: type) -> str:
    """`kronlin.Kronecker` wherever in kronlin it lives, so that files outlive its rooms; the full name elsewhere.

    >>> class_name(Operator)
    'kronlin.Operator'
    """
    inside = cls.__module__.split(".")[0] == "kronlin"
    return f"{'kronlin' if inside else cls.__module__}.{cls.__qualname__}"


def own_classes() -> Iterator[type[Operator]]:
    """Go through the operators of kronlin."""
    waiting, met = [Operator], {Operator}
    while waiting:
        fresh = [cls for cls in waiting.pop().__subclasses__() if cls not in met]
        met.update(fresh)
        waiting.extend(fresh)
        yield from (cls for cls in fresh if class_name(cls).startswith("kronlin."))


def allowed(classes: Iterable[type]) -> dict[str, type[Operator]]:
    """Return the classes that a file may hold: those of kronlin and the given ones.

    Raises:
        TypeError: one of `classes` is no class of operators.
    """
    given = list(classes)
    for cls in given:
        if not (isinstance(cls, type) and issubclass(cls, Operator)):
            raise TypeError(f"classes= takes subclasses of kronlin.Operator, not {cls!r}")
    return {class_name(cls): cls for cls in (*own_classes(), *given)}
