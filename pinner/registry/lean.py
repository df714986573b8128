"""httpx without its command line.

`import httpx` also imports httpx's own command, and with it rich, click and pygments wherever these
are installed: half of its import time, for nothing that pinner uses. A module that cannot be
imported is what httpx is prepared for; the block is lifted as soon as httpx is there.
"""

from __future__ import annotations

import sys

_COMMAND = "httpx._main"

if "httpx" not in sys.modules:
    sys.modules[_COMMAND] = None  # type: ignore[assignment] # `import` of it raises ImportError
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules[_COMMAND]
