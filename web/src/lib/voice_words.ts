/** What is said of a voice's explanation, in the languages of those who take calls here. */
import type { Language } from "./language";

export interface VoiceWords {
  /** Decimal point; browsers come without Kazakh numbers. */
  readonly point: string;
  readonly title: string;
  readonly most: (times: string, where: string) => string;
  readonly and: string;
  readonly above: (kHz: string) => string;
  readonly below: (kHz: string) => string;
  readonly between: (low: string, high: string) => string;
  readonly all: string;
  readonly none: string;
  readonly hint: string;
  readonly toggle: string;
  readonly little: string;
  readonly strongly: string;
  readonly grey: string;
  readonly frame: string;
  readonly kept: string;
  readonly time: string;
  readonly frequency: string;
  readonly alt: string;
}

const EN: VoiceWords = {
  point: ".",
  title: "When the voice sounds machine-made",
  most: (times, where) => `Most suspicious: ${times}, ${where}.`,
  and: " and ",
  above: (kHz) => `above ${kHz} kHz`,
  below: (kHz) => `below ${kHz} kHz`,
  between: (low, high) => `between ${low} and ${high} kHz`,
  all: "at all frequencies",
  none: "No moment stands out by itself.",
  hint: "This is a hint and no proof: it shows what the detector went by. It can be wrong, and a genuine voice can have coloured places too.",
  toggle: "Show the suspicious places",
  little: "a little",
  strongly: "strongly",
  grey: "Grey is the sound, darker where it is louder. No colour: nothing there sounds machine-made.",
  frame: "A frame marks the most suspicious place.",
  kept: "Only this coarse picture is kept, not the sound.",
  time: "Time of the call",
  frequency: "kHz",
  alt: "Picture of the sound, low tones below and high tones above, with the suspicious places in colour.",
};

const RU: VoiceWords = {
  point: ",",
  title: "Где голос похож на машинный",
  most: (times, where) => `Подозрительнее всего: ${times}, ${where}.`,
  and: " и ",
  above: (kHz) => `выше ${kHz} кГц`,
  below: (kHz) => `ниже ${kHz} кГц`,
  between: (low, high) => `от ${low} до ${high} кГц`,
  all: "на всех частотах",
  none: "Ни один отрезок сам по себе не выделяется.",
  hint: "Это подсказка, а не доказательство: видно, на что опирался детектор. Он может ошибаться, и у настоящего голоса тоже бывают цветные места.",
  toggle: "Показать подозрительные места",
  little: "слабо",
  strongly: "сильно",
  grey: "Серым показан звук: чем темнее, тем громче. Где нет цвета, ничто не похоже на машинное.",
  frame: "Рамкой отмечено самое подозрительное место.",
  kept: "Хранится только эта грубая картинка, сам звук не хранится.",
  time: "Время звонка",
  frequency: "кГц",
  alt: "Картинка звука: низкие тона внизу, высокие вверху, подозрительные места выделены цветом.",
};

const KK: VoiceWords = {
  point: ",",
  title: "Дауыс қай жерде машинанікіне ұқсайды",
  most: (times, where) => `Ең күдікті жері: ${times}, ${where}.`,
  and: " және ",
  above: (kHz) => `${kHz} кГц-тен жоғары`,
  below: (kHz) => `${kHz} кГц-тен төмен`,
  between: (low, high) => `${low}–${high} кГц аралығында`,
  all: "барлық жиілікте",
  none: "Ешбір сәт өз алдына ерекшеленбейді.",
  hint: "Бұл – дәлел емес, белгі ғана: детектор неге сүйенгенін көрсетеді. Ол қателесуі мүмкін, шынайы дауыста да түсті жерлер болады.",
  toggle: "Күдікті жерлерді көрсету",
  little: "әлсіз",
  strongly: "күшті",
  grey: "Сұр түс – дыбыс: неғұрлым қою болса, соғұрлым қатты. Түсі жоқ жерде машинаға ұқсайтын ештеңе жоқ.",
  frame: "Ең күдікті жер жақтаумен белгіленген.",
  kept: "Тек осы жалпылама сурет сақталады, дыбыстың өзі сақталмайды.",
  time: "Қоңырау уақыты",
  frequency: "кГц",
  alt: "Дыбыстың суреті: төмен үндер төменде, жоғары үндер жоғарыда, күдікті жерлері түспен белгіленген.",
};

export const VOICE_WORDS: Readonly<Record<Language, VoiceWords>> = { en: EN, ru: RU, kk: KK };
