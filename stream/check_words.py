"""What `check` says of a clip, in Kazakh, Russian and English."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.file_traces import TraceKind
from models.window import Reason, Signal
from stream.events import State

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWords:
    """One language. What stands in braces is filled in."""

    headlines: Mapping[State, str]
    sync: Mapping[State, str]
    """Of lips and voice."""
    signals: Mapping[Signal, str]
    reasons: Mapping[Reason, str]
    why: str
    too_short: str
    first_alert: str
    analysed: str
    damaged: str
    most_suspicious: str
    stretch: str
    """A stretch of seconds."""
    joined: str
    """Between two stretches."""
    not_judged: str
    reading: str
    long: str
    """What the last stretch of speech says as a whole."""
    facts: Mapping[str, str]
    """What the content credentials of the file say; `signer` is filled in."""
    still: str
    """Of a single picture about which nothing is known."""
    mark: str
    """That a generator's visible mark was read."""
    invisible_mark: str
    traces: Mapping[TraceKind, str]
    """What the container says of how the file was made."""


EN = CheckWords(
    headlines={
        State.UNDECIDED: "CANNOT JUDGE",
        State.BONA_FIDE: "NO SIGN OF MANIPULATION",
        State.SUSPECT: "SOMETHING IS OFF",
        State.SPOOF: "MACHINE-MADE FACE OR VOICE LIKELY",
    },
    sync={
        State.UNDECIDED: "no clear match",
        State.BONA_FIDE: "they fit",
        State.SUSPECT: "they do not fit",
        State.SPOOF: "they do not fit",
    },
    signals={
        Signal.FACE: "face",
        Signal.VOICE: "voice",
        Signal.SYNC: "lips and voice",
        Signal.PIPELINE: "how picture and sound were made",
        Signal.CHALLENGE: "active check",
    },
    reasons={
        Reason.NO_FACE: "no face is to be seen",
        Reason.SMALL_FACE: "the face is too small",
        Reason.BLURRED: "the picture is too blurred",
        Reason.POSE: "the face is turned away",
        Reason.EXPOSURE: "the face is too dark or burnt out",
        Reason.OCCLUDED: "something covers the face",
        Reason.NO_MOUTH: "the mouth is hidden or does not move",
        Reason.SILENCE: "nobody speaks",
        Reason.NOISE: "the sound is too noisy",
        Reason.BAND_LIMITED: "the sound is too narrow",
        Reason.CLIPPED: "the sound is overdriven",
        Reason.MUSIC: "music or tones are played",
        Reason.LOST: "there is no picture or sound to judge",
        Reason.OVERLOAD: "this machine could not keep up",
        Reason.ERROR: "the detector failed",
    },
    why="why: {reason}",
    too_short="the clip is too short",
    first_alert="first alert at {at:.1f} s; it stood for {stood:.1f} s",
    analysed="analysed {face:.1f} s of face and {speech:.1f} s of speech of {call:.1f} s, in {took:.1f} s",
    damaged="the file is damaged: it ends before it says it does",
    most_suspicious="most suspicious in the voice's first alerted window: {times}, {low:.1f} to {high:.1f} kHz",
    stretch="{start:.1f}-{end:.1f} s",
    joined=" and ",
    not_judged="{name}: not judged, {reason}",
    reading="{name}: {words}, evidence {nat:.1f} nat, {seconds:.1f} s analysed{long}",
    long=", last {seconds} s of speech {llr:+.1f} nat",
    facts={
        "generated": "FACT: the file itself says that a machine made it; signed by {signer}, intact",
        "signed": "fact: content credentials, signed by {signer}, intact; they do not say that a machine made it",
        "changed": "fact: content credentials, but the file was changed after it was signed",
        "expired": "fact: content credentials, signed with a certificate that has expired",
        "unreadable": "fact: content credentials that cannot be read",
        "absent": "fact: no content credentials; most files have none",
    },
    still="A SINGLE PICTURE: NO TRACE OF A MACHINE IN ITS FILE",
    mark="fact: the pictures carry the mark of {generator}, read in {pictures} of {of}",
    invisible_mark="fact: the pictures carry the invisible mark of {generator}",
    traces={
        TraceKind.DECLARED: "fact: the file says that a machine made it ({text}); unsigned, anybody can write that",
        TraceKind.PROGRAM: "fact: the file names a generator ({text}); unsigned, anybody can write that",
        TraceKind.RECIPE: "fact: the file holds what a generator was told to make ({text})",
        TraceKind.CONVERTED: "fact: a converter wrote the file ({text}), as messengers and editors do",
    },
)

RU = CheckWords(
    headlines={
        State.UNDECIDED: "СУДИТЬ НЕЛЬЗЯ",
        State.BONA_FIDE: "ПРИЗНАКОВ ПОДДЕЛКИ НЕТ",
        State.SUSPECT: "ЧТО-ТО НЕ ТАК",
        State.SPOOF: "ЛИЦО ИЛИ ГОЛОС, ВЕРОЯТНО, СОЗДАНЫ МАШИНОЙ",
    },
    sync={
        State.UNDECIDED: "ясного совпадения нет",
        State.BONA_FIDE: "подходят друг другу",
        State.SUSPECT: "не подходят друг другу",
        State.SPOOF: "не подходят друг другу",
    },
    signals={
        Signal.FACE: "лицо",
        Signal.VOICE: "голос",
        Signal.SYNC: "губы и голос",
        Signal.PIPELINE: "происхождение изображения и звука",
        Signal.CHALLENGE: "проверка действием",
    },
    reasons={
        Reason.NO_FACE: "лица не видно",
        Reason.SMALL_FACE: "лицо слишком мелкое",
        Reason.BLURRED: "изображение слишком размыто",
        Reason.POSE: "лицо отвёрнуто",
        Reason.EXPOSURE: "лицо слишком тёмное или засвеченное",
        Reason.OCCLUDED: "лицо чем-то закрыто",
        Reason.NO_MOUTH: "рот не виден или не движется",
        Reason.SILENCE: "никто не говорит",
        Reason.NOISE: "слишком шумно",
        Reason.BAND_LIMITED: "звук слишком глухой",
        Reason.CLIPPED: "звук искажён",
        Reason.MUSIC: "играет музыка или звучат сигналы",
        Reason.LOST: "нет изображения или звука, о которых можно судить",
        Reason.OVERLOAD: "компьютер не успевал",
        Reason.ERROR: "сбой детектора",
    },
    why="почему: {reason}",
    too_short="запись слишком короткая",
    first_alert="первая тревога на {at:.1f} с; она длилась {stood:.1f} с",
    analysed="проверено {face:.1f} с лица и {speech:.1f} с речи из {call:.1f} с, за {took:.1f} с",
    damaged="файл повреждён: он кончается раньше, чем указано в нём самом",
    most_suspicious="подозрительнее всего в первом тревожном отрезке голоса: {times}, от {low:.1f} до {high:.1f} кГц",
    stretch="{start:.1f}-{end:.1f} с",
    joined=" и ",
    not_judged="{name}: не проверено, {reason}",
    reading="{name}: {words}, признаки {nat:.1f} нат, проверено {seconds:.1f} с{long}",
    long=", последние {seconds} с речи {llr:+.1f} нат",
    facts={
        "generated": "ФАКТ: в самом файле сказано, что его создала машина; подписано: {signer}, не изменён",
        "signed": "факт: сведения о происхождении, подписано: {signer}, не изменены; о создании машиной не сказано",
        "changed": "факт: есть сведения о происхождении, но после подписания файл изменён",
        "expired": "факт: есть сведения о происхождении; срок сертификата подписи истёк",
        "unreadable": "факт: есть сведения о происхождении, но прочитать их нельзя",
        "absent": "факт: сведений о происхождении нет; их нет у большинства файлов",
    },
    still="ОДНА КАРТИНКА: СЛЕДОВ МАШИНЫ В ФАЙЛЕ НЕТ",
    mark="факт: на изображении знак {generator}, прочитан на {pictures} из {of} кадров",
    invisible_mark="факт: на изображении невидимый знак {generator}",
    traces={
        TraceKind.DECLARED: "факт: в файле сказано, что его создала машина ({text}); без подписи, написать мог любой",
        TraceKind.PROGRAM: "факт: в файле названа программа-генератор ({text}); без подписи, написать мог любой",
        TraceKind.RECIPE: "факт: в файле есть задание для генератора ({text})",
        TraceKind.CONVERTED: "факт: файл записан конвертером ({text}), как делают мессенджеры и редакторы",
    },
)

KK = CheckWords(
    headlines={
        State.UNDECIDED: "БАҒАЛАУ МҮМКІН ЕМЕС",
        State.BONA_FIDE: "ЖАСАНДЫЛЫҚ БЕЛГІСІ ЖОҚ",
        State.SUSPECT: "БІР НӘРСЕ ДҰРЫС ЕМЕС",
        State.SPOOF: "БЕТ НЕМЕСЕ ДАУЫС МАШИНАМЕН ЖАСАЛҒАН БОЛУЫ ЫҚТИМАЛ",
    },
    sync={
        State.UNDECIDED: "анық сәйкестік жоқ",
        State.BONA_FIDE: "бір-біріне сәйкес",
        State.SUSPECT: "бір-біріне сәйкес емес",
        State.SPOOF: "бір-біріне сәйкес емес",
    },
    signals={
        Signal.FACE: "бет",
        Signal.VOICE: "дауыс",
        Signal.SYNC: "ерін мен дауыс",
        Signal.PIPELINE: "сурет пен дыбыстың қалай алынғаны",
        Signal.CHALLENGE: "әрекетпен тексеру",
    },
    reasons={
        Reason.NO_FACE: "бет көрінбейді",
        Reason.SMALL_FACE: "бет тым кішкентай",
        Reason.BLURRED: "сурет тым бұлыңғыр",
        Reason.POSE: "бет бұрылып тұр",
        Reason.EXPOSURE: "бет тым қараңғы немесе тым жарық",
        Reason.OCCLUDED: "бетті бірдеңе жауып тұр",
        Reason.NO_MOUTH: "ауыз көрінбейді немесе қозғалмайды",
        Reason.SILENCE: "ешкім сөйлемейді",
        Reason.NOISE: "шу тым көп",
        Reason.BAND_LIMITED: "дыбыс тым бәсең",
        Reason.CLIPPED: "дыбыс бұрмаланған",
        Reason.MUSIC: "музыка немесе сигнал естіледі",
        Reason.LOST: "бағалайтын сурет те, дыбыс та жоқ",
        Reason.OVERLOAD: "компьютер үлгермеді",
        Reason.ERROR: "детектор істен шықты",
    },
    why="себебі: {reason}",
    too_short="жазба тым қысқа",
    first_alert="алғашқы дабыл {at:.1f} с тұсында; ол {stood:.1f} с күшінде болды",
    analysed="{call:.1f} с жазбаның {face:.1f} с беті және {speech:.1f} с сөзі {took:.1f} с ішінде тексерілді",
    damaged="файл бүлінген: ол өзінде көрсетілгеннен ерте аяқталады",
    most_suspicious="дауыстың алғашқы дабыл бөлігінде ең күдіктісі: {times}, {low:.1f}-{high:.1f} кГц",
    stretch="{start:.1f}-{end:.1f} с",
    joined=" және ",
    not_judged="{name}: тексерілмеді, {reason}",
    reading="{name}: {words}, белгілер {nat:.1f} нат, {seconds:.1f} с тексерілді{long}",
    long=", соңғы {seconds} с сөз {llr:+.1f} нат",
    facts={
        "generated": "ДЕРЕК: файлдың өзінде оны машина жасағаны айтылған; қол қойған {signer}, өзгермеген",
        "signed": "дерек: шығу тегі туралы мәлімет бар, қол қойған {signer}, өзгермеген; машина жасағаны айтылмаған",
        "changed": "дерек: шығу тегі туралы мәлімет бар, бірақ қол қойылғаннан кейін файл өзгертілген",
        "expired": "дерек: шығу тегі туралы мәлімет бар; қолтаңба сертификатының мерзімі өткен",
        "unreadable": "дерек: шығу тегі туралы мәлімет бар, бірақ оны оқу мүмкін емес",
        "absent": "дерек: шығу тегі туралы мәлімет жоқ; файлдардың көбінде ол болмайды",
    },
    still="БІР ҒАНА СУРЕТ: ФАЙЛЫНДА МАШИНАНЫҢ ІЗІ ЖОҚ",
    mark="дерек: суретте {generator} белгісі бар, {of} кадрдың {pictures} кадрында оқылды",
    invisible_mark="дерек: суретте {generator} бағдарламасының көрінбейтін белгісі бар",
    traces={
        TraceKind.DECLARED: "дерек: файлда оны машина жасағаны айтылған ({text}); қолсыз, кез келген жаза алады",
        TraceKind.PROGRAM: "дерек: файлда генератор бағдарлама аталған ({text}); қолсыз, кез келген жаза алады",
        TraceKind.RECIPE: "дерек: файлда генераторға берілген тапсырма бар ({text})",
        TraceKind.CONVERTED: "дерек: файлды мессенджерлер мен редакторлар сияқты түрлендіргіш жазған ({text})",
    },
)

WORDS: dict[Language, CheckWords] = {"kk": KK, "ru": RU, "en": EN}


def language_of(environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language that a terminal's environment asks for, by LC_ALL, LC_MESSAGES or LANG; English if none."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return next((language for language in LANGUAGES if value.lower().startswith(language)), "en")
    return "en"
