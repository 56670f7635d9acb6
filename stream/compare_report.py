"""What a comparison found, in words for a terminal and as JSON for a program."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.markup import escape

from models.drift import Change
from models.identity import Comparison, Identity, IdentityModel
from models.window import Reason
from stream.check_words import EN
from stream.compare import Course, Recording, compare, course_of, likeness, overall
from stream.events import Likeness

NAMES = {Identity.VOICE: "voice", Identity.FACE: "face"}
HEADLINES = {
    Likeness.SAME: "SAME PERSON LIKELY",
    Likeness.OTHER: "ANOTHER PERSON LIKELY",
    Likeness.UNDECIDED: "CANNOT TELL",
}
COURSES = {
    Likeness.SAME: "NO CHANGE FOUND",
    Likeness.OTHER: "ANOTHER PERSON FROM SOME TIME ON",
    Likeness.UNDECIDED: "CANNOT TELL",
}
STYLES = {Likeness.SAME: "green", Likeness.OTHER: "bold red", Likeness.UNDECIDED: "white"}
WORDS = {
    Likeness.SAME: "the same person is likely",
    Likeness.OTHER: "another person is likely",
    Likeness.UNDECIDED: "too near to call",
}
CAUTION = "a cloned voice or a swapped face is made to pass: that two agree does not make either genuine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of one recording or of two."""

    likeness: Likeness
    lines: tuple[str, ...]
    """As rich markup, a headline first."""
    fields: dict[str, object]
    """For `--json`; numbers as they were, nothing rounded."""


def judged(model: IdentityModel, recordings: Sequence[Recording]) -> Said:
    """Compare two recordings, or follow one."""
    if len(recordings) == 2:
        return compared(compare(model, *recordings), *recordings)
    (recording,) = recordings
    return course({identity: course_of(model, identity, recording) for identity in Identity}, recording)


def compared(found: Mapping[Identity, Comparison], reference: Recording, caller: Recording) -> Said:
    """Say what two recordings have in common."""
    said = overall(likeness(one.llr) for one in found.values())
    lines = [f"[{STYLES[said]}]{HEADLINES[said]}[/]  {escape(reference.path.name)}, {escape(caller.path.name)}"]
    lines += [f"  {NAMES[identity]}: {_compared(one)}" for identity, one in found.items()]
    lines += [f"  {CAUTION}"] if said is Likeness.SAME else []
    signals = [{"signal": identity, "likeness": likeness(one.llr), **asdict(one)} for identity, one in found.items()]
    return Said(
        likeness=said,
        lines=(*lines, *_truncated(reference, caller)),
        fields={
            "files": [str(reference.path), str(caller.path)],
            "likeness": said,
            "signals": signals,
            "truncated": reference.is_truncated or caller.is_truncated,
        },
    )


def course(found: Mapping[Identity, Course], recording: Recording) -> Said:
    """Say how the voice and the face of one recording go on."""
    said = overall(one.likeness for one in found.values())
    lines = [f"[{STYLES[said]}]{COURSES[said]}[/]  {escape(recording.path.name)}"]
    lines += [f"  {NAMES[identity]}: {_course(one)}" for identity, one in found.items()]
    signals = [{"signal": identity, "likeness": one.likeness, **asdict(one)} for identity, one in found.items()]
    return Said(
        likeness=said,
        lines=(*lines, *_truncated(recording)),
        fields={
            "file": str(recording.path),
            "likeness": said,
            "signals": signals,
            "truncated": recording.is_truncated,
        },
    )


def clock(seconds: float) -> str:
    """Return a place in a recording as people read it: 3:12, or 1:03:12."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _compared(one: Comparison) -> str:
    if one.llr is None:
        return f"not compared, {_too_little(one.reason, min(one.reference_s, one.caller_s))}"
    return f"{WORDS[likeness(one.llr)]}, llr {one.llr:+.1f} nat, {one.reference_s:.1f} s against {one.caller_s:.1f} s"


def _course(one: Course) -> str:
    if one.lowest_llr is None:
        return f"not compared, {_too_little(one.reason, one.seconds)}"
    heard = f"lowest llr {one.lowest_llr:+.1f} nat, {one.seconds:.1f} s"
    if not one.changes:
        return f"no change found, {heard}"
    return f"changed at {', '.join(map(_change, one.changes))}; {heard}"


def _change(change: Change) -> str:
    return f"{clock(change.changed_at_s)} (llr {change.llr:+.1f} nat)"


def _too_little(reason: Reason | None, seconds: float) -> str:
    if seconds or reason is None:
        return f"{seconds:.1f} s are too little"
    return EN.reasons[reason]


def _truncated(*recordings: Recording) -> Iterator[str]:
    for recording in recordings:
        if recording.is_truncated:
            yield f"  {escape(recording.path.name)} is damaged: it ends before it says it does"
