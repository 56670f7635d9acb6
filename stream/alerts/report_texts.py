"""Every text of the report, in Kazakh, Russian and English."""

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
    "signal": {"face": "Face", "voice": "Voice", "sync": "Lips and voice"},
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

RU: Texts = {
    "title": "Отчёт о тревоге",
    "estimate": "Это оценка программы, а не доказательство. Она может ошибаться в обе стороны. Это не юридическая "
    "консультация.",
    "case": "Дело",
    "call": "Звонок",
    "unnamed": "звонок без названия",
    "source": {"whip": "браузер", "websocket": "звуковой поток", "file": "запись"},
    "raised": "Тревога поднята",
    "cleared": "Тревога снята",
    "not_cleared": "не снята",
    "began": "Начало звонка",
    "ended": "Конец звонка",
    "status_title": "Что установил отдел по борьбе с мошенничеством",
    "status": {
        "open": "открыто: решения ещё нет",
        "in_review": "на проверке",
        "confirmed_fraud": "мошенничество подтверждено",
        "false_alarm": "ложная тревога",
        "inconclusive": "установить не удалось",
    },
    "assignee": "Кто ведёт",
    "at_risk": "Под угрозой",
    "reference": "Номер",
    "why": "Почему поднята тревога",
    "why_text": "Накопленные признаки того, что лицо или голос в этом звонке созданы машиной, достигли {evidence} нат; "
    "тревога поднимается при {threshold} нат. Она поднята на отметке {since} звонка.",
    "signal": {"face": "Лицо", "voice": "Голос", "sync": "Губы и голос"},
    "columns": ["Сигнал", "Доля", "Признаки [нат]", "Проверено"],
    "plot": "Признаки по ходу звонка",
    "plot_help": "Линия: накопленные признаки. Пунктир: порог тревоги. Закрашено: время, пока тревога действовала.",
    "analysed": "Что проверено",
    "analysed_text": "{face} лица и {speech} речи за звонок длиной {call}.",
    "missed_face": "{s} изображения проверить не удалось: {reason}",
    "missed_speech": "{s} звука проверить не удалось: {reason}",
    "reason": {
        "no_face": "нет лица в кадре",
        "small_face": "лицо слишком мелкое",
        "blurred": "лицо размыто",
        "pose": "лицо отвёрнуто",
        "exposure": "слишком темно или слишком светло",
        "occluded": "лицо чем-то закрыто",
        "no_mouth": "рот не виден",
        "silence": "никто не говорил",
        "noise": "слишком шумно",
        "band_limited": "звук слишком глухой",
        "clipped": "звук искажён",
        "music": "музыка или сигналы",
        "lost": "потеряно в пути",
        "overload": "служба была перегружена",
        "error": "сбой анализа",
    },
    "pictures": "Секунды, вызвавшие тревогу",
    "picture": {
        "face": "Лицо, каким его проверяли",
        "face_map": "Где оно похоже на созданное машиной: чем теплее цвет, тем больше",
        "spectrum": "Звук, вызвавший тревогу, низкие тона внизу; цветом отмечено то, что говорит о машине",
    },
    "picture_at": "на отметке {at} звонка",
    "no_pictures": "Изображения не хранятся: их не было или срок хранения истёк.",
    "hint": "Цвета лишь подсказывают, на что опирался детектор, и могут быть неверны.",
    "history": "Что делали сотрудники",
    "no_history": "С этой тревогой ещё никто не работал.",
    "what": {
        "claimed": "взял(а) дело",
        "released": "вернул(а) дело",
        "assigned": "передал(а) дело:",
        "handed_over": "передал(а) дело в отдел по борьбе с мошенничеством",
        "note": "заметка",
        "reopened": "открыл(а) дело снова",
        "confirmed_fraud": "решение: мошенничество подтверждено",
        "false_alarm": "решение: ложная тревога",
        "inconclusive": "решение: установить не удалось",
    },
    "annex": "Техническое приложение",
    "promise": "Порог держит обещание: не более одной ложной тревоги за {hours} ч звонков",
    "telephone": "телефонная линия",
    "wideband": "звук из интернета",
    "threshold": "Порог тревоги: {threshold} нат, {channel}",
    "models": "Участвовавшие модели",
    "settings": "Настройки",
    "files": "Улики, SHA-256",
    "chain": "Цепочка событий",
    "chain_text": "событий: {events}, конец цепочки {head}; ключ подписи {key}",
    "verify": "Проверка файла дела, к которому приложен отчёт: python -m stream verify CASE.zip",
    "exported": "Составил(а) {by}, {at}, {software}",
    "page": "стр.",
    "s": "с",
    "h": "ч",
}

KK: Texts = {
    "title": "Дабыл туралы есеп",
    "estimate": "Бұл — бағдарламаның бағасы, дәлел емес. Ол екі жаққа да қателесуі мүмкін. Бұл заң кеңесі емес.",
    "case": "Іс",
    "call": "Қоңырау",
    "unnamed": "атаусыз қоңырау",
    "source": {"whip": "браузер", "websocket": "дыбыс ағыны", "file": "жазба"},
    "raised": "Дабыл көтерілді",
    "cleared": "Дабыл алынды",
    "not_cleared": "алынған жоқ",
    "began": "Қоңырау басталды",
    "ended": "Қоңырау аяқталды",
    "status_title": "Алаяқтыққа қарсы бөлімнің қорытындысы",
    "status": {
        "open": "ашық: шешім әлі жоқ",
        "in_review": "тексеріліп жатыр",
        "confirmed_fraud": "алаяқтық расталды",
        "false_alarm": "жалған дабыл",
        "inconclusive": "анықтау мүмкін болмады",
    },
    "assignee": "Кім жүргізеді",
    "at_risk": "Қауіптегі сома",
    "reference": "Нөмірі",
    "why": "Дабыл неліктен көтерілді",
    "why_text": "Осы қоңыраудағы бет немесе дауыс машинамен жасалғанының белгілері {evidence} натқа жетті; дабыл "
    "{threshold} натта көтеріледі. Ол қоңыраудың {since} тұсында көтерілді.",
    "signal": {"face": "Бет", "voice": "Дауыс", "sync": "Ерін мен дауыс"},
    "columns": ["Белгі", "Үлесі", "Жиналғаны [нат]", "Тексерілгені"],
    "plot": "Қоңырау бойындағы белгілер",
    "plot_help": "Сызық: жиналған белгілер. Үзік сызық: дабыл шегі. Боялған жер: дабыл күшінде болған уақыт.",
    "analysed": "Не тексерілді",
    "analysed_text": "Ұзақтығы {call} қоңыраудың {face} беті және {speech} сөзі.",
    "missed_face": "Суреттің {s} тексерілмеді: {reason}",
    "missed_speech": "Дыбыстың {s} тексерілмеді: {reason}",
    "reason": {
        "no_face": "кадрда бет жоқ",
        "small_face": "бет тым кішкентай",
        "blurred": "бет бұлыңғыр",
        "pose": "бет бұрылып тұр",
        "exposure": "тым қараңғы немесе тым жарық",
        "occluded": "бетті бірдеңе жауып тұр",
        "no_mouth": "ауыз көрінбейді",
        "silence": "ешкім сөйлемеді",
        "noise": "шу тым көп",
        "band_limited": "дыбыс тым бәсең",
        "clipped": "дыбыс бұрмаланған",
        "music": "музыка немесе сигналдар",
        "lost": "жолда жоғалды",
        "overload": "қызметке түскен жүктеме шектен асты",
        "error": "талдау орындалмады",
    },
    "pictures": "Дабыл тудырған секундтар",
    "picture": {
        "face": "Тексерілген бет",
        "face_map": "Қай жері машинамен жасалғанға ұқсайды: түсі жылы болған сайын, соғұрлым көп",
        "spectrum": "Дабыл тудырған дыбыс, төменгі үндер астында; машинаны көрсететін жерлер боялған",
    },
    "picture_at": "қоңыраудың {at} тұсында",
    "no_pictures": "Сурет сақталмаған: ол болмаған немесе сақтау мерзімі өткен.",
    "hint": "Түстер детектордың неге сүйенгенін ғана меңзейді және қате болуы мүмкін.",
    "history": "Қызметкерлер не істеді",
    "no_history": "Бұл дабылмен әлі ешкім жұмыс істеген жоқ.",
    "what": {
        "claimed": "істі алды",
        "released": "істі қайтарды",
        "assigned": "істі тапсырды:",
        "handed_over": "істі алаяқтыққа қарсы бөлімге тапсырды",
        "note": "жазба",
        "reopened": "істі қайта ашты",
        "confirmed_fraud": "шешім: алаяқтық расталды",
        "false_alarm": "шешім: жалған дабыл",
        "inconclusive": "шешім: анықтау мүмкін болмады",
    },
    "annex": "Техникалық қосымша",
    "promise": "Шек сақтайтын уәде: {hours} қоңырау-сағатта ең көбі бір жалған дабыл",
    "telephone": "телефон желісі",
    "wideband": "интернет дыбысы",
    "threshold": "Дабыл шегі: {threshold} нат, {channel}",
    "models": "Қатысқан модельдер",
    "settings": "Баптаулар",
    "files": "Айғақтар, SHA-256",
    "chain": "Оқиғалар тізбегі",
    "chain_text": "оқиға саны: {events}, тізбек соңы {head}; қолтаңба кілті {key}",
    "verify": "Осы есеп тіркелген іс файлын тексеру: python -m stream verify CASE.zip",
    "exported": "Жасаған {by}, {at}, {software}",
    "page": "бет",
    "s": "с",
    "h": "сағ",
}

TEXTS: dict[Language, Texts] = {"kk": KK, "ru": RU, "en": EN}
