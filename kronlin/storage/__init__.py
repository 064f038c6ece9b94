"""Operators in files: arrays and JSON, checked by a sum, and nothing that could run."""

from kronlin.storage._archive import FileFormatError
from kronlin.storage._load import load
from kronlin.storage._pack import pack, unpack
from kronlin.storage._save import save

__all__ = ["FileFormatError", "load", "pack", "save", "unpack"]
