"""Public names are explained in one way: a sentence, arguments, errors, an example that runs, and where it is published."""

import ast
import functools
import inspect
import re
import textwrap
from dataclasses import is_dataclass

import pytest

import kronlin
from tests.house.test_front_door import documented

PUBLISHED = ("kronlin.curvature", "kronlin.coarse", "kronlin.twolevel", "kronlin.krylov")
"""Where each function is a published method, or makes one."""

ELEMENTARY = {"block_diagonal_fisher"}
"""Functions there that need no reference: the diagonal blocks of what has one."""


def things() -> dict[str, type]:
    """The public classes and functions, by name."""
    found = {}
    for name in documented():
        thing = kronlin
        for part in name.split("."):
            thing = getattr(thing, part)
        if not inspect.ismodule(thing):
            found[name] = thing
    return found


EACH = pytest.mark.parametrize("name", things())


def made(thing) -> inspect.Signature:
    """How it is called; what a class inherits from an exception or from `object` takes nothing of its own."""
    if getattr(thing, "_is_protocol", False):  # never made; what fulfils it is called so
        return inspect.signature(functools.partial(thing.__call__, None))
    own = "__init__" in vars(thing) if inspect.isclass(thing) else True
    return inspect.signature(thing) if own else inspect.Signature()


def raises(thing) -> bool:
    """Whether a function, or the making of an object, has a `raise` of its own."""
    function = vars(thing).get("__init__") if inspect.isclass(thing) else thing
    if is_dataclass(thing) or function is None:
        function = vars(thing).get("__post_init__")
    if function is None:
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


def examples(text: str) -> str:
    """The lines of a docstring that run."""
    return "\n".join(line for line in text.splitlines() if line.lstrip().startswith((">>>", "...")))


@EACH
def test_begins_with_a_sentence(name):
    first = inspect.getdoc(things()[name]).split("\n\n")[0]
    assert first.rstrip().endswith((".", ":", "]", ")")), first
    assert len(first) <= 240


@EACH
def test_arguments_are_described(name):
    thing = things()[name]
    text, parameters = inspect.getdoc(thing), made(thing).parameters
    if not parameters or is_dataclass(thing) or "made by `" in text:  # a result, whose fields are described
        return
    section = text.partition("Args:\n")[2].partition("\n\n")[0]
    told = ", ".join(re.findall(r"^ +([\w, *]+):", section, re.MULTILINE)).replace("*", "").split(", ")
    missing = [parameter for parameter in parameters if parameter not in told]
    assert not missing, f"Args: says nothing of {', '.join(missing)}"


@EACH
def test_errors_are_described(name):
    thing = things()[name]
    assert not raises(thing) or re.search(r"^Raises\b", inspect.getdoc(thing), re.MULTILINE)


@EACH
def test_there_is_an_example(name):
    assert examples(inspect.getdoc(things()[name]))


@EACH
def test_what_is_published_has_its_source(name):
    thing = things()[name]
    text = inspect.getdoc(thing)
    if inspect.isfunction(thing) and thing.__module__.startswith(PUBLISHED) and name not in ELEMENTARY:
        assert "Source:" in text
    if "Source:" in text:
        assert re.search(r"\(\d{4}\)|arXiv \d{4}\.\d{4,5}|\d{4}", text.partition("Source:")[2]), "name the year"


@pytest.mark.parametrize("member", [name for name in dir(kronlin.Operator) if not name.startswith("_")])
def test_methods_of_an_operator_are_shown(member):
    """Each public method and property is used in an example of its own or of the class that has it."""
    homes = [cls for cls in kronlin.Operator.__mro__ if cls.__doc__ and cls.__module__.startswith("kronlin")]
    own = inspect.getdoc(getattr(kronlin.Operator, member)) or ""
    shown = examples("\n".join([own, *(inspect.getdoc(cls) for cls in homes)]))
    assert re.search(rf"\.{member}\b", shown), f"no example shows Operator.{member}"
