"""Table: rows and columns that print as text, HTML, CSV and JSON."""

import csv
import html
import io
import json
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar


class Column(NamedTuple):
    """A column: the key of its values, its heading, and how a number is written."""

    key: str
    heading: str
    form: str = "{}"

    def write(self, value: Any) -> str:
        """Write one value; what there is none of is a dash."""
        return "–" if value is None else value if isinstance(value, str) else self.form.format(value)


class Table:
    """Rows (dictionaries) under columns.

    >>> print(Table([Column("name", "method"), Column("error", "error", "{:.2f}")], [{"name": "zero", "error": 1.0}]))
    method  error
    ------  -----
    zero     1.00
    """

    def __init__(self, columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> None:
        self.columns = tuple(columns)
        self.records = tuple(rows)

    def _cells(self) -> list[list[str]]:
        return [[column.write(row.get(column.key)) for column in self.columns] for row in self.records]

    def __str__(self) -> str:
        headings = [column.heading for column in self.columns]
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]

        def line(words: Sequence[str]) -> str:
            first = words[0].ljust(widths[0])
            return "  ".join([first, *(word.rjust(width) for word, width in zip(words[1:], widths[1:], strict=True))])

        return "\n".join([line(headings), line(["-" * width for width in widths]), *map(line, cells)])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(column.heading)}</th>" for column in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n" for row in self._cells()
        )
        return f"<table>\n<tr>{head}</tr>\n{body}</table>"

    def to_csv(self) -> str:
        """The unrounded values as comma-separated lines under their keys."""
        keys = [column.key for column in self.columns]
        stream = io.StringIO()
        writer = csv.DictWriter(stream, keys, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: row.get(key) for key in keys} for row in self.records)
        return stream.getvalue()

    def to_json(self) -> str:
        """The unrounded values as a JSON list of objects; what is not finite becomes null."""
        keys = [column.key for column in self.columns]
        return json.dumps([{key: _finite(row.get(key)) for key in keys} for row in self.records], indent=1)


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """The name."""
        ...


R = TypeVar("R", bound=Named)


class NamedRows(Table, Generic[R]):
    """A table made of objects with names, which are kept in `rows` and found by name."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[R], records: Sequence[dict[str, Any]]) -> None:
        self.rows = tuple(rows)
        super().__init__(columns, records)

    def __getitem__(self, name: str) -> R:
        """The row of that name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no row {name!r}: the rows are {', '.join(repr(row.name) for row in self.rows)}")


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
