"""The command line: `python -m stream COMMAND`."""

import asyncio
import json
import logging
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.markup import escape

from stream import cases_command, tokens_command
from stream.errors import KuaError, MediaError
from stream.ingest.wire import AudioCodec, VideoCodec
from stream.recordings import EXIT_UNREADABLE, check_one, err, out, read_recording, say_unreadable
from stream.settings import Settings, load_settings

if TYPE_CHECKING:
    from models.detector import Detector
    from models.engine import Engine

# Of `compare`, by what it says.
EXIT_LIKENESS = {"same_person": 0, "another_person": 1, "undecided": 4}

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Tells machine-made faces and voices in video calls."
)


app.add_typer(tokens_command.app, name="tokens")
app.add_typer(cases_command.app, name="cases")


def main() -> None:
    """Run the command line; errors that a person can mend are one line, never a traceback."""
    from models.checkpoint import CheckpointError
    from models.weights import WeightsError

    try:
        app()
    except (KuaError, CheckpointError, WeightsError) as exc:
        err.print(f"[red]error:[/] {escape(str(exc))}", highlight=False, soft_wrap=True)
        sys.exit(2)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; KUA_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; KUA_PORT")] = None,
) -> None:
    """Run the service and its pages."""
    import uvicorn

    from stream.api.app import create_app, policy_of

    settings = load_settings(host=host, port=port)
    _set_up_log(settings)
    asyncio.run(tokens_command.require_guard(settings))
    detector, engine = _load_detector(settings)
    policy_of(settings).model.require(detector.digests)
    web = create_app(settings, detector, device=engine.name, workers=engine.workers)
    config = uvicorn.Config(
        web,
        settings.host,
        settings.port,
        log_level="warning",
        ws="websockets-sansio",  # reads the next message only when the last one was taken
        ws_max_size=300_000,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=3,
    )
    structlog.get_logger().info("ready", address=f"http://{settings.host}:{settings.port}", device=engine.name)
    out.print(f"\n  Kua is ready: open [bold]http://{settings.host}:{settings.port}/[/]", highlight=False)
    out.print("  Try it without a camera: [bold]make demo[/] in another terminal\n", highlight=False)
    uvicorn.Server(config).run()


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Recorded clips: any video, sound or picture file")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a file")] = False,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the first alerted face and sound of each file, with their heat maps, to this folder",
        ),
    ] = None,
) -> None:
    """Judge recorded clips.

    Exit status: 0 no sign of manipulation, 1 spoof, 3 suspect, 4 cannot judge, 5 unreadable.
    """
    from stream.api.app import policy_of

    settings = load_settings()
    _set_up_log(settings)
    detector, _ = _load_detector(settings)
    policy = policy_of(settings)
    policy.model.require(detector.digests)
    statuses = []
    for i, path in enumerate(files, 1):
        # Numbered, since files of several folders may share a name.
        picture = explain / (f"{i}-{path.name}.png" if len(files) > 1 else f"{path.name}.png") if explain else None
        statuses.append(check_one(path, detector, policy, as_json, picture))
    raise typer.Exit(max(statuses, key=[0, 4, 3, 5, 1].index))


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(help="One recording, or a reference and another to compare with it")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Say whether two recordings are of the same person, or when the voice or face of one recording changes.

    Exit status: 0 the same person likely, or no change found, 1 another person likely, 4 cannot tell, 5 unreadable.
    """
    from models.identity import IdentityModel
    from stream import compare_report
    from stream.check_words import language_of
    from stream.compare_words import WORDS

    if len(files) > 2:
        raise typer.BadParameter(f"got {len(files)} files, expected one or two", param_hint="FILES")
    _set_up_log(load_settings())
    model = IdentityModel()
    try:
        recordings = [read_recording(path, model, as_json) for path in files]
    except MediaError as exc:
        say_unreadable(", ".join(map(str, files)), exc, as_json)
        raise typer.Exit(EXIT_UNREADABLE) from exc
    said = compare_report.judged(model, recordings, WORDS[language_of()])
    if as_json:
        typer.echo(json.dumps(said.fields))
    else:
        for line in said.lines:
            out.print(line, highlight=False, soft_wrap=True)
    raise typer.Exit(EXIT_LIKENESS[said.likeness])


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="CASE.zip, as the fraud desk exports it")],
    key: Annotated[str, typer.Option(help="Public key, or its fingerprint, that must have signed it")] = "",
) -> None:
    """Check a case file offline: that nothing was changed, and who signed it.

    Exit status: 0 it holds, 2 it does not.
    """
    from stream.alerts.verify import verify

    found = verify(file, key=key)
    deleted = f", {found.deleted} of them deleted by policy" if found.deleted else ""
    signed = f"{escape(found.organisation)}, at {escape(found.exported_at)}"
    said = [
        f"[green]{escape(str(file))} holds[/]: case {escape(found.case)}, {found.files} files",
        f"  {found.events} events{deleted}, an unbroken chain that ends in {found.head}",
        f"  signed for {signed} with the key {found.fingerprint}",
    ]
    if not key:
        said.append("  Compare this fingerprint with the one that the operator publishes, or give it as --key.")
    for line in said:
        out.print(line, highlight=False, soft_wrap=True)


@app.command()
def send(
    file: Annotated[Path, typer.Argument(help="The clip to send as if it were a call")],
    url: Annotated[str, typer.Argument(help="ws://HOST:PORT/v1/ingest")],
    token: Annotated[str, typer.Option(envvar="KUA_TOKEN", help="The service's bearer token")] = "",
    name: Annotated[str, typer.Option(help="The call's name on the page")] = "",
    video_codec: Annotated[VideoCodec, typer.Option(help="How pictures are sent")] = VideoCodec.JPEG,
    audio_codec: Annotated[AudioCodec, typer.Option(help="How sound is sent")] = AudioCodec.PCM_S16LE,
    loop: Annotated[bool, typer.Option(help="Begin again at the end, until stopped")] = False,
) -> None:
    """Send a clip to a running service over WebSocket, in real time."""
    from stream.send import send_file

    sent = asyncio.run(
        send_file(
            file,
            url,
            token=token,
            name=name or file.stem,
            video_codec=video_codec,
            audio_codec=audio_codec,
            loop=loop,
        )
    )
    out.print(f"sent {sent.pictures} pictures and {sent.audio_s:.1f} s of sound")


@app.command()
def demo(
    url: Annotated[str, typer.Option(help="The running service")] = "http://127.0.0.1:8400",
    token: Annotated[str, typer.Option(envvar="KUA_TOKEN", help="The service's bearer token")] = "",
    seconds: Annotated[float, typer.Option(min=5, help="How long to call [s]")] = 60.0,
) -> None:
    """Call the running service as a person whose face and voice become machine-made after twelve seconds."""
    from stream.demo import call

    asyncio.run(call(url, token=token, seconds=seconds, say=lambda text: out.print(text, highlight=False)))


class Measured(StrEnum):
    """What `bench` can measure."""

    FACE = "face"
    VOICE = "voice"


@app.command()
def bench(
    signal: Annotated[Measured, typer.Option(help="What to measure")] = Measured.FACE,
    seconds: Annotated[float, typer.Option(min=1, help="Of each call, after its first window [s]")] = 5.0,
    calls: Annotated[int, typer.Option(min=1, max=64, help="Calls that are scored together, beside one alone")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
    decision: Annotated[bool, typer.Option("--decision", help="Measure false alerts and times to an alert")] = False,
    hours: Annotated[float, typer.Option(min=1, help="With --decision: genuine call-hours to replay [h]")] = 100.0,
    plot: Annotated[Path | None, typer.Option(help="With --decision: write curves to this PNG")] = None,
    check: Annotated[str, typer.Option(help="With --decision: once in each call, e.g. whisper; or pipeline")] = "",
) -> None:
    """Measure what a signal costs on this machine, or, with --decision, how often and how soon the decision alerts."""
    from models.window import Signal
    from stream import bench, bench_face, bench_voice

    settings = load_settings()
    if decision:
        _bench_decision(settings.promise_hours, hours, plot, as_json, check)
        return
    detector, engine = _load_detector(settings.model_copy(update={"inference_threads": 1}))
    bench.use_one_core()
    measured = Signal(signal.value)
    taken = bench_voice if signal is Measured.VOICE else bench_face
    results = [taken.measure(detector, n, seconds) for n in sorted({1, calls})]
    if as_json:
        typer.echo(json.dumps(bench.as_json(measured, results, engine=engine.name, seconds=seconds)))
    else:
        out.print(bench.table(measured, results, taken.PARTS, engine=engine.name))


def _bench_decision(promise_hours: float, hours: float, plot: Path | None, as_json: bool, check: str) -> None:
    from models.tapes import TapesError
    from stream import bench_decision, bench_decision_plot
    from stream.bench_beside import named

    try:
        n, beside = os.cpu_count() or 1, named(check)
        results = bench_decision.measure(promise_hours=promise_hours, hours=hours, workers=n, beside=beside)
    except TapesError as exc:
        raise KuaError(str(exc)) from exc
    found = bench_decision.summary(results, promise_hours)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for table in bench_decision.tables(found):
            out.print(table)
    if plot:
        try:
            bench_decision_plot.draw(results, promise_hours, plot)
        except ImportError as exc:
            raise KuaError("curves need matplotlib: pip install 'kua[bench]'") from exc
        err.print(f"  curves: {escape(str(plot))}", highlight=False, soft_wrap=True)


def _load_detector(settings: Settings) -> "tuple[Detector, Engine]":
    from models.detector import Detector
    from models.engine import Engine
    from stream.errors import SettingsError

    try:
        engine = Engine(settings.device, settings.inference_threads or os.cpu_count() or 1)
    except RuntimeError as exc:
        raise SettingsError(f"KUA_DEVICE: {exc}") from exc
    return Detector(engine), engine


def _set_up_log(settings: Settings) -> None:
    renderer = structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    main()
