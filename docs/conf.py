"""How the documentation is built: `make docs`."""

import importlib
import inspect
import re
import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import kronlin

project = "kronlin"
author = "the kronlin developers"
copyright = "2026, the kronlin developers"
version = release = kronlin.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "examples"]
html_theme = "furo"
html_title = "kronlin"
html_theme_options = {"navigation_with_keys": True}
default_role = "code"
toc_object_entries = False
napoleon_numpy_docstring = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}


def own_names(module_name):
    """List the public names of a package that come from its underscored files, which have no page."""
    module = importlib.import_module(module_name)
    things = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    return [
        (name, "class" if inspect.isclass(thing) else "function")
        for name, thing in things.items()
        if getattr(thing, "__module__", "").startswith(f"{module_name}._")
    ]


autosummary_generate = True
autosummary_context = {"own_names": own_names}
suppress_warnings = ["config.cache"]  # Sphinx cannot store the function above; nothing else is lost

absent = [library for library in ("torch", "jax") if find_spec(library) is None]
"""Scripts whose names end with one of these are shown, not run."""

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "".join(rf"(?<!_{library}\.py)" for library in absent) + "$",
    "run_stale_examples": True,  # the library may have changed, not the script
    "within_subsection_order": "FileNameSortKey",
    "notebook_extensions": set(),
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
}


def resolve_public_name(app, env, node, contnode):
    """Link `kronlin.Kronecker` to where it is described, the page of the module that defines it."""
    thing = kronlin
    first, *parts = node.get("reftarget", "").split(".")
    if first != "kronlin" or not parts:
        return None
    for part in parts:
        if not hasattr(thing, part):
            return None
        thing = getattr(thing, part)
    if not hasattr(thing, "__qualname__"):
        return None
    home = thing.__module__
    if home.rpartition(".")[2].startswith("_"):
        home = home.rpartition(".")[0]
    target = f"{home}.{thing.__qualname__}"
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)


def escape_mathematics(app, what, name, thing, options, lines):
    """Keep the bars of |det A| and the underscore of x_ in docstrings from being read as markup."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = re.split(r"(`+[^`]*`+_?)", line)
            parts[::2] = [re.sub(r"\||(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def note_what_was_not_run(app, docname, source):
    """Say on the page of an example that it has no output, and why."""
    library = docname.rpartition("_")[2]
    if docname.startswith("gallery/") and library in absent:
        source[0] += f"\n.. note:: This page was built without {library}, so the script was not run.\n"


def setup(app):
    app.connect("autodoc-process-docstring", escape_mathematics)
    app.connect("missing-reference", resolve_public_name)
    app.connect("source-read", note_what_was_not_run)
