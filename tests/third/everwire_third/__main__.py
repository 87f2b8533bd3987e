"""The command line: `--adapter` drives the client by lines of JSON (README.md), `--vectors` runs the golden vectors."""

from __future__ import annotations

import sys

from . import adapter, vectors

_MODES = {"--adapter": adapter.main, "--vectors": vectors.run}


def main() -> int:
    mode = _MODES.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if mode is None:
        print(f"usage: python3 -m everwire_third {' | '.join(_MODES)}", file=sys.stderr)
        return 2
    return mode()


sys.exit(main())
