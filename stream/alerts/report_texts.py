"""Every text of the report: what a language must say, and English."""

from typing import Literal, TypedDict

Language = Literal["kk", "ru", "en"]


class Texts(TypedDict):
    """One language. Names in braces are filled in."""

    title: str
    estimate: str
    case: str
    call: str
    unnamed: str
    source: dict[str, str]
    raised: str
    cleared: str
    not_cleared: str
    began: str
    ended: str
    status_title: str
    status: dict[str, str]
    assignee: str
    at_risk: str
    reference: str
    why: str
    why_text: str
    signal: dict[str, str]
    trait: dict[str, str]
    columns: list[str]
    """Of the signals' table: signal, share, evidence, analysed."""
    plot: str
    plot_help: str
    analysed: str
    analysed_text: str
    missed_face: str
    missed_speech: str
    reason: dict[str, str]
    pictures: str
    picture: dict[str, str]
    picture_at: str
    no_pictures: str
    hint: str
    history: str
    no_history: str
    what: dict[str, str]
    annex: str
    promise: str
    telephone: str
    wideband: str
    threshold: str
    models: str
    settings: str
    files: str
    chain: str
    chain_text: str
    verify: str
    exported: str
    page: str
    s: str
    h: str


EN: Texts = {
    "title": "Report on an alert",
    "estimate": "This is an estimate of a program and no proof. It can be wrong in both directions. It is not legal "
    "advice.",
    "case": "Case",
    "call": "Call",
    "unnamed": "unnamed call",
    "source": {"whip": "browser", "websocket": "sound stream", "file": "recording"},
    "raised": "Alert raised",
    "cleared": "Alert taken back",
    "not_cleared": "was not taken back",
    "began": "Call began",
    "ended": "Call ended",
    "status_title": "What the fraud desk found",
    "status": {
        "open": "open: nobody has decided yet",
        "in_review": "in review",
        "confirmed_fraud": "confirmed fraud",
        "false_alarm": "false alarm",
        "inconclusive": "inconclusive",
    },
    "assignee": "Whose",
    "at_risk": "At risk",
    "reference": "Reference",
    "why": "Why the alert was raised",
    "why_text": "The evidence that a face or a voice of this call is machine-made reached {evidence} nat; the alert is "
    "raised at {threshold} nat. It was raised {since} into the call.",
    "signal": {
        "face": "Face",
        "voice": "Voice",
        "sync": "Lips and voice",
        "challenge": "Active check",
        "pipeline": "Signal source",
    },
    "columns": ["Signal", "Share", "Evidence [nat]", "Analysed"],
    "plot": "Evidence over the call",
    "plot_help": "Line: gathered evidence. Dashed: the alert line. Shaded: while the alert stood.",
    "analysed": "What was analysed",
    "analysed_text": "{face} of face and {speech} of speech in a call of {call}.",
    "missed_face": "{s} of picture could not be judged: {reason}",
    "missed_speech": "{s} of sound could not be judged: {reason}",
    "reason": {
        "no_face": "no face in the picture",
        "small_face": "the face was too small",
        "blurred": "the face was blurred",
        "pose": "the face was turned away",
        "exposure": "too dark or too bright",
        "occluded": "something covered the face",
        "no_mouth": "the mouth was hidden",
        "silence": "nobody spoke",
        "noise": "too much noise",
        "band_limited": "the sound was too dull",
        "clipped": "the sound was distorted",
        "music": "music or tones",
        "lost": "lost on the way",
        "overload": "the service was overloaded",
        "error": "the analysis failed",
    },
    "trait": {
        "repeated": "{value} % of the pictures only repeat the one before",
        "interpolated": "pictures look computed from their neighbours",
        "still": "{value} % of the picture stands perfectly still while the rest moves",
        "pumping": "the picture grows sharper at a regular beat, as in a recording",
        "digital_zero": "{value} % of the pauses are perfectly silent, as no room is",
        "band_edge": "the sound ends abruptly at a pitch where calls do not cut it",
        "mirrored": "high tones mirror low ones, as after a careless conversion",
        "even_clock": "the pictures are timed as evenly as those of a file",
        "clock_rate": "the sound's clock runs {value} millionths off ours",
        "clocks_apart": "the clocks of picture and sound run {value} millionths apart",
        "key_picture": "asked for a fresh picture, the sender took {value} s or more",
        "rate_kept": "asked to send less, the sender went on with {value} times as much",
    },
    "pictures": "Alerted seconds",
    "picture": {
        "face": "The face as it was analysed",
        "face_map": "Where it looks machine-made: the warmer, the more",
        "spectrum": "The alerted sound, low tones below; coloured where it speaks for a machine",
    },
    "picture_at": "at {at} of the call",
    "no_pictures": "No picture is kept: none was made, or its time is over.",
    "hint": "Colours are a hint to what the detector went by and can be wrong.",
    "history": "What people did",
    "no_history": "Nobody has acted on this alert.",
    "what": {
        "check_followed": "asked for a check: done as asked",
        "check_broken": "asked for a check: something broke",
        "check_not_followed": "asked for a check: not done as asked",
        "check_unseen": "asked for a check: not to be seen or heard",
        "claimed": "took the case",
        "released": "gave the case back",
        "assigned": "assigned the case to",
        "handed_over": "handed the case over to the fraud desk",
        "note": "noted",
        "reopened": "reopened the case",
        "confirmed_fraud": "decided: confirmed fraud",
        "false_alarm": "decided: false alarm",
        "inconclusive": "decided: inconclusive",
    },
    "annex": "Technical annex",
    "promise": "Promise kept by the alert line: at most one false alert in {hours} call-hours",
    "telephone": "telephone line",
    "wideband": "internet sound",
    "threshold": "Alert line: {threshold} nat, {channel}",
    "models": "Models that took part",
    "settings": "Settings",
    "files": "Evidence, SHA-256",
    "chain": "Chain of events",
    "chain_text": "{events} events, head {head}; signing key {key}",
    "verify": "To check the case file that this report comes with: python -m stream verify CASE.zip",
    "exported": "Made by {by} on {at} with {software}",
    "page": "page",
    "s": "s",
    "h": "h",
}
