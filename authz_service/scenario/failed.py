"""What failed when it was run last, kept in a file from one run to the next."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import ScenarioError
from authz_service.scenario.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz_service.scenario.result import ScenarioResult

FOLDER: Final = Path(".authz")
_FILE: Final = FOLDER / "last-failed.json"
_VERSION: Final = 1
_BAD: Final = frozenset({Status.FAILED, Status.ERROR})


@dataclass(frozen=True)
class Failed:
    """What failed when it was run last.

    Arguments:
        items: the names of what did, by the path of the scenario; None for one that could not be
            run, and of which all counts as failed.
    """

    items: Mapping[str, frozenset[str] | None]

    def has(self, path: Path, name: str) -> bool:
        """Tell whether something of a scenario failed."""
        names = self.items.get(_normalize(path), frozenset())
        return names is None or name in names

    def has_some(self, path: Path) -> bool:
        """Tell whether anything of a scenario failed."""
        return _normalize(path) in self.items

    def update(self, results: Iterable[tuple[ScenarioResult, Iterable[str]]]) -> Failed:
        """Find what has failed after one more run; of what was not run, that is as it was.

        Arguments:
            results: what came of scenarios, each with the names of all that is in it now.
        """
        items = dict(self.items)
        for result, names in results:
            path = _normalize(Path(result.path))
            before = items.pop(path, None) or frozenset()
            put = {item.name for item in result.items}
            bad = {item.name for item in result.items if item.status in _BAD}
            left = (before & {*names}) - put | bad
            if result.faults or left:
                items[path] = None if result.faults else left
        return Failed(items)


def load_failed(folder: Path = Path()) -> Failed | None:
    """Read what failed when it was run last, in a folder; None where nothing was run.

    Raises:
        ScenarioError: when the file cannot be read.
    """
    file = folder / _FILE
    try:
        kept = json.loads(file.read_text("utf-8"))
        return _read(kept)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"cannot be read: {error}; remove it, and run all scenarios"
        raise ScenarioError.at(str(file), "unreadable_file", message) from None


def keep_failed(failed: Failed, folder: Path = Path()) -> None:
    """Keep what has failed, in a folder; another run that does so at once has no part in it.

    Raises:
        ScenarioError: when that cannot be written.
    """
    file = folder / _FILE
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    kept = {
        "version": _VERSION,
        "failed": {
            path: None if names is None else sorted(names)
            for path, names in sorted(failed.items.items())
        },
    }
    try:
        file.parent.mkdir(exist_ok=True)
        file.with_name(".gitignore").write_text("*\n", "utf-8")
        partial.write_text(json.dumps(kept, indent=1, ensure_ascii=False), "utf-8")
        partial.replace(file)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        message = f"cannot be written: {error.strerror or error}; `--failed` will not know this run"
        raise ScenarioError.at(str(file), "unwritable_file", message) from None


def _read(kept: dict[str, Any]) -> Failed:
    if kept["version"] != _VERSION:
        raise ValueError("another version wrote it")
    return Failed({path: _read_names(names) for path, names in kept["failed"].items()})


def _read_names(names: Any) -> frozenset[str] | None:
    return None if names is None else frozenset(str(each) for each in names)


def _normalize(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()
