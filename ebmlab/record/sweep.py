"""What a sweep has tried as a table, in CSV and Parquet, and as a page for a browser."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ebmlab.session.tried import Tried

CSV, PARQUET, PAGE = "table.csv", "table.parquet", "index.html"
FIGURES = {"kl": "kl", "nll": "nll", "log_z": "log_z", "error": "log_z_error"}
"""Columns that hold exact figures, with the names these have in an evaluation."""

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; background: #15171b; color: #f2f3f5 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: right; white-space: nowrap }
th { color: #8d95a3; font-weight: normal; border-bottom: 1px solid #2e333c } tr:hover td { background: #1d2026 }
td.text { text-align: left } td img { display: block; width: 96px } a { color: #58a6ff }
"""


def columns(rows: Sequence[Tried]) -> dict[str, list[Any]]:
    """Returns the table by columns, one row a run; a figure that is withheld is None."""

    paths = list(dict.fromkeys(path for row in rows for path, _ in row.knobs))
    table: dict[str, list[Any]] = {"run": [row.name for row in rows]}
    table |= {path: [_cell(dict(row.knobs).get(path)) for row in rows] for path in paths}
    table.setdefault("seed", [row.recipe.seed for row in rows])
    table["steps"] = [row.steps for row in rows]
    table["seconds"] = [row.seconds for row in rows]
    table |= {name: [row.figure(figure) for row in rows] for name, figure in FIGURES.items()}
    table["diverged"] = [row.diverged for row in rows]
    table["why"] = [row.why or _withheld(row) for row in rows]
    table["together"] = [row.together for row in rows]
    return table


def save_csv(rows: Sequence[Tried], path: str | os.PathLike[str]) -> None:
    """Writes the table as CSV, beside and renamed."""

    table = columns(rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table)
    writer.writerows(["" if value is None else value for value in row] for row in zip(*table.values()))
    _write(Path(path), text.getvalue().encode())


def save_parquet(rows: Sequence[Tried], path: str | os.PathLike[str]) -> bool:
    """Writes the table as Parquet, beside and renamed, if pyarrow is there; returns whether it is."""

    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return False
    sink = pyarrow.BufferOutputStream()
    arrays = {name: _same_kind(values) for name, values in columns(rows).items()}
    pyarrow.parquet.write_table(pyarrow.table(arrays), sink)
    _write(Path(path), sink.getvalue().to_pybytes())
    return True


def save_page(rows: Sequence[Tried], pictures: Sequence[Image.Image], title: str, path: str | os.PathLike[str]) -> None:
    """Writes the table with a picture of each run as one HTML file that needs nothing else, beside and renamed."""

    table = columns(rows)
    del table["together"]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ["", *table])
    body = "".join(
        f"<tr><td>{_embedded(picture)}</td>{''.join(map(_html, values))}</tr>\n"
        for picture, values in zip(pictures, zip(*table.values()))
    )
    said = html.escape(title)
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{said}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{said}</h1>\n<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></body></html>\n"
    )
    _write(Path(path), text.encode())


def _cell(value: Any) -> Any:
    """Returns a knob's value as a table holds it: numbers and texts as they are, all else as JSON."""

    return value if value is None or isinstance(value, bool | int | float | str) else json.dumps(value)


def _withheld(row: Tried) -> str:
    why = row.figures.get("why")
    return str(why.get("kl", "")) if isinstance(why, dict) and row.figure("kl") is None else ""


def _same_kind(values: Sequence[Any]) -> list[Any]:
    """Returns a column as it is if its values are of one kind, numbers as floats, else as texts."""

    kinds = {type(value) for value in values if value is not None}
    if len(kinds) < 2:
        return list(values)
    change: Callable[[Any], Any] = float if kinds <= {int, float} else str
    return [None if value is None else change(value) for value in values]


def _html(value: Any) -> str:
    if isinstance(value, bool):
        return f"<td>{'yes' if value else ''}</td>"
    if isinstance(value, float):
        return f"<td>{value:.5g}</td>"
    kind = "" if isinstance(value, int) else ' class="text"'
    return f"<td{kind}>{'' if value is None else html.escape(str(value))}</td>"


def _embedded(picture: Image.Image) -> str:
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}">'


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(content)
    beside.replace(path)
