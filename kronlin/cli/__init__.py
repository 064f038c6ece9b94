"""The command line: `kronlin compare` runs the main job, `kronlin info` describes the installation."""

from kronlin.cli._main import main

__all__ = ["main"]
