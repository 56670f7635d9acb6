"""Recordings on the command line: judged, compared, explained; one line says why one cannot be read."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from stream.errors import MediaError
from stream.events import State

if TYPE_CHECKING:
    from models.detector import Detector
    from models.identity import IdentityModel
    from stream.clip import ExplainedWindow
    from stream.compare import Recording
    from stream.policy import Policy

# What a script can tell from `check`; 2 is typer's own for wrong usage.
EXIT = {State.BONA_FIDE: 0, State.SPOOF: 1, State.SUSPECT: 3, State.UNDECIDED: 4}
EXIT_UNREADABLE = 5
MAX_SECONDS = 36_000.0
"""Of a file that `check` looks at: all of any ordinary one [s]."""

out = Console()
err = Console(stderr=True)


def check_one(path: Path, detector: "Detector", policy: "Policy", as_json: bool, picture: Path | None) -> int:
    """Judge one file, print what is said of it, and return the exit status."""
    from models.text_reader import TextReader
    from stream import report
    from stream.check_words import WORDS, language_of
    from stream.forwarded.examine import Examination

    found = Examination(path, detector, policy, lru_cache(TextReader), max_s=MAX_SECONDS)
    try:
        if not path.is_file():
            raise MediaError(f"{path.name}: there is no such file")
        with _bar(as_json) as bar:
            task = bar.add_task(path.name, total=1.0)
            found.run(lambda share: bar.update(task, completed=share))
    except MediaError as exc:
        say_unreadable(str(path), exc, as_json)
        return EXIT_UNREADABLE
    if as_json:
        models = detector.digests | {"decision": policy.model.digest}
        typer.echo(json.dumps(report.as_json(found, models)))
    else:
        for line in report.lines(found, WORDS[language_of()]):
            out.print(line, highlight=False)
    if picture and found.report is not None:
        for signal, explained in found.report.explained.items():
            # The face's has the plain name, as before there was another.
            _write_heat_map(explained, picture if signal == "face" else picture.with_suffix(f".{signal}.png"))
    return EXIT[found.state]


def read_recording(path: Path, model: "IdentityModel", as_json: bool) -> "Recording":
    """Read one file for a comparison.

    Raises:
        MediaError: It cannot be read.
    """
    from stream import compare
    from stream.ingest.file import probe

    with _bar(as_json) as bar:
        task = bar.add_task(path.name, total=probe(path).duration_s)
        return compare.read_recording(path, model, lambda place_s: bar.update(task, completed=place_s))


def _bar(is_hidden: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=is_hidden)


def say_unreadable(file: str, exc: MediaError, as_json: bool) -> None:
    """Print why a file cannot be read."""
    if as_json:
        typer.echo(json.dumps({"file": file, "error": str(exc)}))
    else:
        err.print(f"[red]error:[/] {escape(str(exc))}", highlight=False, soft_wrap=True)


def _write_heat_map(explained: "ExplainedWindow", path: Path) -> None:
    import cv2

    from stream.overlay import overlay

    bgr = cv2.cvtColor(overlay(explained.explanation), cv2.COLOR_RGB2BGR)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
    except OSError as exc:
        err.print(f"[red]error:[/] cannot write the heat map: {escape(str(exc))}", highlight=False, soft_wrap=True)
    else:
        err.print(f"  heat map: {escape(str(path))}", highlight=False, soft_wrap=True)
