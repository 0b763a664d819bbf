"""Draws the equations of all components ahead, to assets/equations.json: `make equations`."""

from __future__ import annotations

import json
from pathlib import Path

from ebmlab.paint.boxes import FILE, draw, pack
from ebmlab.paint.equations import catalogue

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Writes the file."""

    pieces = catalogue()
    text = json.dumps(pack((tex, draw(tex)) for tex in pieces), indent=0, ensure_ascii=False)
    (ROOT / "assets" / FILE).write_text(text + "\n", encoding="utf-8")
    print(f"assets/{FILE}: {len(pieces)} pieces, {len(text) // 1000} kB")


if __name__ == "__main__":
    main()
