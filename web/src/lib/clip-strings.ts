/** Every text of the page that checks a forwarded clip, in three languages. */
import type { Language } from "./language";
import type { ClipMessage, Signal, State } from "./wire";

export interface ClipTexts {
  readonly tab: string;
  readonly title: string;
  readonly lead: string;
  readonly choose: string;
  readonly drop: string;
  readonly limits: string;
  readonly uploading: string;
  readonly waiting: string;
  readonly running: string;
  readonly cancel: string;
  readonly another: string;
  readonly failed: string;
  readonly estimate: string;
  readonly headline: Readonly<Record<State, string>>;
  readonly next: Readonly<Record<State, string>>;
  readonly signals: Readonly<Record<Signal, string>>;
  readonly carried: string;
  readonly looked: (face: string, speech: string, whole: string) => string;
  readonly leftOut: (whole: string) => string;
  readonly truncated: string;
  readonly facts: string;
  readonly fact: Readonly<Record<"generated" | "signed" | "changed" | "expired" | "unreadable" | "absent", string>>;
  readonly mark: (generator: string, pictures: number, of: number) => string;
  readonly invisible: (generator: string) => string;
  readonly named: string;
  readonly still: string;
  readonly stillText: string;
  readonly trace: Readonly<Record<ClipMessage["traces"][number]["kind"], (text: string) => string>>;
  readonly signer: (name: string, program: string) => string;
  readonly mayForward: string;
  readonly forward: string;
  readonly asOf: (date: string) => string;
  readonly status: Readonly<Record<"verified" | "reported" | "disputed" | "advice", string>>;
  readonly privacy: string;
}

const EN: ClipTexts = {
  tab: "Check a clip – Kua",
  title: "Check a clip",
  lead: "Somebody sent you a video, a voice message or a recording? See whether it is likely to be machine-made.",
  choose: "Choose a file",
  drop: "or drop it here",
  limits: "Video, sound or a picture; the first ten minutes are looked at.",
  uploading: "Sending the file to your Kua service…",
  waiting: "Waiting for its turn…",
  running: "Looking and listening…",
  cancel: "Stop",
  another: "Check another clip",
  failed: "That did not work",
  estimate: "This is an estimate, not a proof.",
  headline: {
    undecided: "Kua cannot tell",
    bona_fide: "No sign of manipulation found",
    suspect: "Something is off",
    spoof: "Machine-made face or voice likely",
  },
  next: {
    undecided: "Ask whoever sent it where it comes from. Look for the same news from a source that you trust.",
    bona_fide: "That is no proof that it is genuine. Money, codes, news: check them another way.",
    suspect: "Do not forward it and do not act on it. Look for the same news from a source that you trust.",
    spoof: "Do not forward it and do not act on it. If it asks for money, call the person on a number that you know.",
  },
  signals: { face: "the face", voice: "the voice", sync: "lips and voice", challenge: "the active check", pipeline: "how picture and sound were made" },
  carried: "What gave it away:",
  looked: (face, speech, whole) => `${face} of face and ${speech} of speech of ${whole} were judged.`,
  leftOut: (whole) => `Only the first ${whole} were looked at.`,
  truncated: "The file is damaged: it ends before it says it does.",
  facts: "Facts about the file",
  fact: {
    generated: "The file itself says that it was made by a machine, wholly or in part, and is as it was signed.",
    signed: "The file carries content credentials and is as it was signed. They do not say that a machine made it.",
    changed: "The file carries content credentials, but it was changed after it was signed.",
    expired: "The file carries content credentials; the certificate that signed them has expired.",
    unreadable: "The file carries content credentials that cannot be read.",
    absent: "The file carries no content credentials. Most files do not, and messengers take them out.",
  },
  mark: (generator, pictures, of) =>
    `The pictures carry the mark of ${generator}, a program that makes videos. It was read in ${pictures} of ${of} pictures.`,
  invisible: (generator) => `The pictures carry the invisible mark of ${generator}, a program that makes pictures.`,
  named: "The file itself names a program that makes such clips",
  still: "Kua cannot say: one picture alone is not enough",
  stillText: "The detector needs a few seconds. Of a single picture Kua looks at the marks in it and at what its file says.",
  trace: {
    declared: (text) => `The file says that a machine made it (${text}). That is not signed: anybody can have written it.`,
    program: (text) => `The file names a program that makes pictures, videos or voices (${text}). That is not signed: anybody can have written it.`,
    recipe: (text) => `The file holds what a generator was told to make (${text}).`,
    converted: (text) => `A converter wrote the file (${text}), as messengers and editors do. What was there before may be lost.`,
  },
  signer: (name, program) => `Signed by ${name || "?"}${program ? `, made with ${program}` : ""}. Who that is was not looked up.`,
  mayForward: "Read what it may mean",
  forward: "May I forward this?",
  asOf: (date) => `as of ${date}`,
  status: {
    verified: "compared with the law",
    reported: "so say the sources",
    disputed: "sources contradict each other",
    advice: "advice",
  },
  privacy: "The file goes only to the Kua service that this page came from, and is deleted there as soon as it was checked.",
};

const RU: ClipTexts = {
  tab: "Проверить запись – Kua",
  title: "Проверить запись",
  lead: "Вам прислали видео, голосовое сообщение или запись? Узнайте, не сделаны ли они машиной.",
  choose: "Выбрать файл",
  drop: "или перетащите его сюда",
  limits: "Видео, звук или картинка; проверяются первые десять минут.",
  uploading: "Файл отправляется в вашу службу Kua…",
  waiting: "Ждёт своей очереди…",
  running: "Смотрю и слушаю…",
  cancel: "Остановить",
  another: "Проверить другую запись",
  failed: "Не получилось",
  estimate: "Это оценка, а не доказательство.",
  headline: {
    undecided: "Kua не может сказать",
    bona_fide: "Признаков подделки не найдено",
    suspect: "Что-то не так",
    spoof: "Лицо или голос, вероятно, созданы машиной",
  },
  next: {
    undecided: "Спросите, откуда запись у того, кто её прислал. Поищите ту же новость в источнике, которому доверяете.",
    bona_fide: "Это не доказывает, что запись подлинная. Деньги, коды, новости проверяйте другим путём.",
    suspect: "Не пересылайте и ничего по ней не делайте. Поищите ту же новость в источнике, которому доверяете.",
    spoof: "Не пересылайте и ничего по ней не делайте. Если просят денег, позвоните человеку по номеру, который знаете сами.",
  },
  signals: { face: "лицо", voice: "голос", sync: "губы и голос", challenge: "проверка действием", pipeline: "то, как получены изображение и звук" },
  carried: "Что её выдало:",
  looked: (face, speech, whole) => `Из ${whole} проверено: лицо ${face}, речь ${speech}.`,
  leftOut: (whole) => `Проверены только первые ${whole}.`,
  truncated: "Файл повреждён: он кончается раньше, чем указано в нём самом.",
  facts: "Факты о файле",
  fact: {
    generated: "В самом файле сказано, что он целиком или частично создан машиной; с подписания он не менялся.",
    signed: "В файле есть сведения о происхождении, с подписания он не менялся. О создании машиной в них не сказано.",
    changed: "В файле есть сведения о происхождении, но после подписания он изменён.",
    expired: "В файле есть сведения о происхождении; срок сертификата, которым они подписаны, истёк.",
    unreadable: "В файле есть сведения о происхождении, но прочитать их нельзя.",
    absent: "В файле нет сведений о происхождении. Их нет у большинства файлов, и мессенджеры их удаляют.",
  },
  mark: (generator, pictures, of) =>
    `На изображении знак ${generator} – программы, которая создаёт видео. Он прочитан на ${pictures} из ${of} кадров.`,
  invisible: (generator) => `На изображении невидимый знак ${generator} – программы, которая создаёт картинки.`,
  named: "В самом файле названа программа, которая создаёт такие записи",
  still: "Kua не может сказать: одной картинки мало",
  stillText: "Детектору нужно несколько секунд. У одной картинки Kua смотрит на знаки в ней и на то, что сказано в файле.",
  trace: {
    declared: (text) => `В файле сказано, что его создала машина (${text}). Подписи нет: написать это мог кто угодно.`,
    program: (text) => `В файле названа программа, которая создаёт картинки, видео или голоса (${text}). Подписи нет: написать это мог кто угодно.`,
    recipe: (text) => `В файле есть задание для генератора (${text}).`,
    converted: (text) => `Файл записан конвертером (${text}), как делают мессенджеры и редакторы. Прежние сведения могли пропасть.`,
  },
  signer: (name, program) => `Подписано: ${name || "?"}${program ? `, сделано в ${program}` : ""}. Кто это, не проверялось.`,
  mayForward: "Прочитать, чем это грозит",
  forward: "Можно ли это пересылать?",
  asOf: (date) => `на ${date}`,
  status: {
    verified: "сверено с законом",
    reported: "так пишут источники",
    disputed: "источники противоречат друг другу",
    advice: "совет",
  },
  privacy: "Файл идёт только в службу Kua, с которой открыта эта страница, и удаляется там сразу после проверки.",
};

const KK: ClipTexts = {
  tab: "Жазбаны тексеру – Kua",
  title: "Жазбаны тексеру",
  lead: "Сізге бейне, дауыстық хабарлама немесе жазба жіберді ме? Оны машина жасаған-жасамағанын тексеріңіз.",
  choose: "Файл таңдау",
  drop: "немесе осында сүйреп әкеліңіз",
  limits: "Бейне, дыбыс немесе сурет; алғашқы он минуты тексеріледі.",
  uploading: "Файл Kua қызметіңізге жіберіліп жатыр…",
  waiting: "Кезегін күтіп тұр…",
  running: "Қарап, тыңдап жатырмын…",
  cancel: "Тоқтату",
  another: "Басқа жазбаны тексеру",
  failed: "Болмады",
  estimate: "Бұл — баға, дәлел емес.",
  headline: {
    undecided: "Kua айта алмайды",
    bona_fide: "Жасандылық белгісі табылмады",
    suspect: "Бір нәрсе дұрыс емес",
    spoof: "Бет немесе дауыс машинамен жасалған болуы ықтимал",
  },
  next: {
    undecided: "Жіберген адамнан оның қайдан келгенін сұраңыз. Сол жаңалықты өзіңіз сенетін дереккөзден іздеңіз.",
    bona_fide: "Бұл жазбаның шынайы екенін дәлелдемейді. Ақшаны, кодты, жаңалықты басқа жолмен тексеріңіз.",
    suspect: "Таратпаңыз және оған сүйеніп ештеңе жасамаңыз. Сол жаңалықты өзіңіз сенетін дереккөзден іздеңіз.",
    spoof: "Таратпаңыз және оған сүйеніп ештеңе жасамаңыз. Ақша сұраса, адамға өзіңіз білетін нөмірмен қоңырау шалыңыз.",
  },
  signals: { face: "бет", voice: "дауыс", sync: "ерін мен дауыс", challenge: "әрекетпен тексеру", pipeline: "сурет пен дыбыстың қалай алынғаны" },
  carried: "Не әшкереледі:",
  looked: (face, speech, whole) => `${whole} жазбаның ${face} беті және ${speech} сөзі тексерілді.`,
  leftOut: (whole) => `Тек алғашқы ${whole} тексерілді.`,
  truncated: "Файл бүлінген: ол өзінде көрсетілгеннен ерте аяқталады.",
  facts: "Файл туралы деректер",
  fact: {
    generated: "Файлдың өзінде оны толық немесе ішінара машина жасағаны айтылған; қол қойылғалы өзгермеген.",
    signed: "Файлда шығу тегі туралы мәлімет бар, қол қойылғалы өзгермеген. Машина жасағаны онда айтылмаған.",
    changed: "Файлда шығу тегі туралы мәлімет бар, бірақ қол қойылғаннан кейін өзгертілген.",
    expired: "Файлда шығу тегі туралы мәлімет бар; оған қол қойған сертификаттың мерзімі өткен.",
    unreadable: "Файлда шығу тегі туралы мәлімет бар, бірақ оны оқу мүмкін емес.",
    absent: "Файлда шығу тегі туралы мәлімет жоқ. Файлдардың көбінде ол болмайды, мессенджерлер оны алып тастайды.",
  },
  mark: (generator, pictures, of) =>
    `Суретте бейне жасайтын ${generator} бағдарламасының белгісі бар. Ол ${of} кадрдың ${pictures} кадрында оқылды.`,
  invisible: (generator) => `Суретте сурет жасайтын ${generator} бағдарламасының көрінбейтін белгісі бар.`,
  named: "Файлдың өзінде мұндай жазбаларды жасайтын бағдарлама аталған",
  still: "Kua айта алмайды: бір сурет жеткіліксіз",
  stillText: "Детекторға бірнеше секунд керек. Жалғыз суреттен Kua ондағы белгілерді және файлда не айтылғанын қарайды.",
  trace: {
    declared: (text) => `Файлда оны машина жасағаны айтылған (${text}). Қол қойылмаған: мұны кез келген адам жаза алады.`,
    program: (text) => `Файлда сурет, бейне немесе дауыс жасайтын бағдарлама аталған (${text}). Қол қойылмаған: мұны кез келген адам жаза алады.`,
    recipe: (text) => `Файлда генераторға берілген тапсырма бар (${text}).`,
    converted: (text) => `Файлды мессенджерлер мен редакторлар сияқты түрлендіргіш жазған (${text}). Бұрынғы мәліметтер жоғалуы мүмкін.`,
  },
  signer: (name, program) => `Қол қойған: ${name || "?"}${program ? `, жасаған бағдарлама: ${program}` : ""}. Оның кім екені тексерілген жоқ.`,
  mayForward: "Мұның неге соқтыруы мүмкін екенін оқу",
  forward: "Мұны таратуға бола ма?",
  asOf: (date) => `${date} жағдайы`,
  status: {
    verified: "заңмен салыстырылды",
    reported: "дереккөздер осылай дейді",
    disputed: "дереккөздер бір-біріне қайшы",
    advice: "кеңес",
  },
  privacy: "Файл тек осы бет ашылған Kua қызметіне жіберіледі және тексерілген соң бірден өшіріледі.",
};

export const CLIP: Readonly<Record<Language, ClipTexts>> = { kk: KK, ru: RU, en: EN };
