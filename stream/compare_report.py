"""What a comparison found, in words for a terminal and as JSON for a program."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.markup import escape

from models.identity import Comparison, Identity, IdentityModel
from models.window import Reason
from stream.compare import Course, Recording, compare, course_of, likeness, overall
from stream.compare_words import EN, CompareWords
from stream.events import Likeness

STYLES = {Likeness.SAME: "green", Likeness.OTHER: "bold red", Likeness.UNDECIDED: "white"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of one recording or of two."""

    likeness: Likeness
    lines: tuple[str, ...]
    """As rich markup, a headline first."""
    fields: dict[str, object]
    """For `--json`; numbers as they were, nothing rounded."""


def judged(model: IdentityModel, recordings: Sequence[Recording], words: CompareWords = EN) -> Said:
    """Compare two recordings, or follow one."""
    if len(recordings) == 2:
        reference, caller = recordings
        return compared(compare(model, reference, caller), reference, caller, words)
    (recording,) = recordings
    return course({identity: course_of(model, identity, recording) for identity in Identity}, recording, words)


def compared(
    found: Mapping[Identity, Comparison], reference: Recording, caller: Recording, words: CompareWords = EN
) -> Said:
    """Say what two recordings have in common."""
    said = overall(likeness(one.llr) for one in found.values())
    lines = [f"[{STYLES[said]}]{words.headlines[said]}[/]  {escape(reference.path.name)}, {escape(caller.path.name)}"]
    lines += [f"  {words.names[identity]}: {_compared(one, words)}" for identity, one in found.items()]
    lines += [f"  {words.caution}"] if said is Likeness.SAME else []
    signals = [{"signal": identity, "likeness": likeness(one.llr), **asdict(one)} for identity, one in found.items()]
    return Said(
        likeness=said,
        lines=(*lines, *_truncated(words, reference, caller)),
        fields={
            "files": [str(reference.path), str(caller.path)],
            "likeness": said,
            "signals": signals,
            "truncated": reference.is_truncated or caller.is_truncated,
        },
    )


def course(found: Mapping[Identity, Course], recording: Recording, words: CompareWords = EN) -> Said:
    """Say how the voice and the face of one recording go on."""
    said = overall(one.likeness for one in found.values())
    lines = [f"[{STYLES[said]}]{words.courses[said]}[/]  {escape(recording.path.name)}"]
    lines += [f"  {words.names[identity]}: {_course(one, words)}" for identity, one in found.items()]
    signals = [{"signal": identity, "likeness": one.likeness, **asdict(one)} for identity, one in found.items()]
    return Said(
        likeness=said,
        lines=(*lines, *_truncated(words, recording)),
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


def _compared(one: Comparison, words: CompareWords) -> str:
    if one.llr is None:
        return _not_compared(one.reason, min(one.reference_s, one.caller_s), words)
    said = words.words[likeness(one.llr)]
    return words.compared.format(words=said, llr=one.llr, reference=one.reference_s, caller=one.caller_s)


def _course(one: Course, words: CompareWords) -> str:
    if one.lowest_llr is None:
        return _not_compared(one.reason, one.seconds, words)
    heard = words.heard.format(llr=one.lowest_llr, seconds=one.seconds)
    if not one.changes:
        return words.no_change.format(heard=heard)
    changes = (words.change.format(at=clock(change.changed_at_s), llr=change.llr) for change in one.changes)
    return words.changed.format(changes=", ".join(changes), heard=heard)


def _not_compared(reason: Reason | None, seconds: float, words: CompareWords) -> str:
    too_little = words.too_little.format(seconds=seconds)
    return words.not_compared.format(reason=too_little if seconds or reason is None else words.reasons[reason])


def _truncated(words: CompareWords, *recordings: Recording) -> Iterator[str]:
    for recording in recordings:
        if recording.is_truncated:
            yield f"  {words.damaged.format(name=escape(recording.path.name))}"
