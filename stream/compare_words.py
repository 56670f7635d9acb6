"""What `compare` says of recordings, in Kazakh, Russian and English."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.drift import Identity
from models.window import Reason
from stream import check_words
from stream.check_words import Language
from stream.events import Likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareWords:
    """One language. What stands in braces is filled in."""

    names: Mapping[Identity, str]
    headlines: Mapping[Likeness, str]
    courses: Mapping[Likeness, str]
    """Of one recording from its start to its end."""
    words: Mapping[Likeness, str]
    caution: str
    compared: str
    not_compared: str
    heard: str
    no_change: str
    changed: str
    change: str
    too_little: str
    damaged: str
    reasons: Mapping[Reason, str]


EN = CompareWords(
    names={Identity.VOICE: "voice", Identity.FACE: "face"},
    headlines={
        Likeness.SAME: "SAME PERSON LIKELY",
        Likeness.OTHER: "ANOTHER PERSON LIKELY",
        Likeness.UNDECIDED: "CANNOT TELL",
    },
    courses={
        Likeness.SAME: "NO CHANGE FOUND",
        Likeness.OTHER: "ANOTHER PERSON FROM SOME TIME ON",
        Likeness.UNDECIDED: "CANNOT TELL",
    },
    words={
        Likeness.SAME: "the same person is likely",
        Likeness.OTHER: "another person is likely",
        Likeness.UNDECIDED: "too near to call",
    },
    caution="a cloned voice or a swapped face is made to pass: that two agree does not make either genuine",
    compared="{words}, llr {llr:+.1f} nat, {reference:.1f} s against {caller:.1f} s",
    not_compared="not compared, {reason}",
    heard="lowest llr {llr:+.1f} nat, {seconds:.1f} s",
    no_change="no change found, {heard}",
    changed="changed at {changes}; {heard}",
    change="{at} (llr {llr:+.1f} nat)",
    too_little="{seconds:.1f} s are too little",
    damaged="{name} is damaged: it ends before it says it does",
    reasons=check_words.EN.reasons,
)

RU = CompareWords(
    names={Identity.VOICE: "голос", Identity.FACE: "лицо"},
    headlines={
        Likeness.SAME: "ВЕРОЯТНО, ОДИН И ТОТ ЖЕ ЧЕЛОВЕК",
        Likeness.OTHER: "ВЕРОЯТНО, ДРУГОЙ ЧЕЛОВЕК",
        Likeness.UNDECIDED: "СКАЗАТЬ НЕЛЬЗЯ",
    },
    courses={
        Likeness.SAME: "СМЕНА НЕ НАЙДЕНА",
        Likeness.OTHER: "С КАКОГО-ТО МЕСТА ДРУГОЙ ЧЕЛОВЕК",
        Likeness.UNDECIDED: "СКАЗАТЬ НЕЛЬЗЯ",
    },
    words={
        Likeness.SAME: "вероятно, тот же человек",
        Likeness.OTHER: "вероятно, другой человек",
        Likeness.UNDECIDED: "разница слишком мала",
    },
    caution="клон голоса и подменённое лицо для того и делают, чтобы были похожи: сходство не доказывает подлинности",
    compared="{words}, llr {llr:+.1f} нат, {reference:.1f} с против {caller:.1f} с",
    not_compared="не сравнивалось, {reason}",
    heard="наименьший llr {llr:+.1f} нат, {seconds:.1f} с",
    no_change="смена не найдена, {heard}",
    changed="смена на {changes}; {heard}",
    change="{at} (llr {llr:+.1f} нат)",
    too_little="{seconds:.1f} с – это слишком мало",
    damaged="{name} повреждён: он кончается раньше, чем указано в нём самом",
    reasons=check_words.RU.reasons,
)

KK = CompareWords(
    names={Identity.VOICE: "дауыс", Identity.FACE: "бет"},
    headlines={
        Likeness.SAME: "БІР АДАМ БОЛУЫ ЫҚТИМАЛ",
        Likeness.OTHER: "БАСҚА АДАМ БОЛУЫ ЫҚТИМАЛ",
        Likeness.UNDECIDED: "АЙТУ МҮМКІН ЕМЕС",
    },
    courses={
        Likeness.SAME: "АУЫСУ ТАБЫЛМАДЫ",
        Likeness.OTHER: "БІР СӘТТЕН БАСТАП БАСҚА АДАМ",
        Likeness.UNDECIDED: "АЙТУ МҮМКІН ЕМЕС",
    },
    words={
        Likeness.SAME: "сол адам болуы ықтимал",
        Likeness.OTHER: "басқа адам болуы ықтимал",
        Likeness.UNDECIDED: "айырма тым аз",
    },
    caution="жасанды дауыс пен ауыстырылған бет ұқсас болсын деп жасалады: ұқсастық шынайылықты дәлелдемейді",
    compared="{words}, llr {llr:+.1f} нат, {reference:.1f} с және {caller:.1f} с",
    not_compared="салыстырылмады, {reason}",
    heard="ең төмен llr {llr:+.1f} нат, {seconds:.1f} с",
    no_change="ауысу табылмады, {heard}",
    changed="ауысқан сәті {changes}; {heard}",
    change="{at} (llr {llr:+.1f} нат)",
    too_little="{seconds:.1f} с тым аз",
    damaged="{name} бүлінген: ол өзінде көрсетілгеннен ерте аяқталады",
    reasons=check_words.KK.reasons,
)

WORDS: Mapping[Language, CompareWords] = {"kk": KK, "ru": RU, "en": EN}
