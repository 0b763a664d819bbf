"""``python -m ebmlab`` is ``ebmlab``."""

import sys

from ebmlab.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
