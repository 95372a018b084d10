"""Notes decisions until it is killed, and says which of them it let go: `log_many.py URL SHARE`."""

from __future__ import annotations

import sys

from decision_log import ask, note, open_log

_URL, _SHARE, _WAY = sys.argv[1:4]

with open_log(_URL, strict=_WAY == "strict") as _log:
    note(_log, ask(0, f"{_SHARE}-0"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _number in range(1, 10**9):
        note(_log, ask(_number, f"{_SHARE}-{_number}"))
        sys.stdout.write(f"{_SHARE}-{_number}\n")
        sys.stdout.flush()
