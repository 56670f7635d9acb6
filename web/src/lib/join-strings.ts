/** Every text of the page by which a customer joins a call, in the languages of its readers. Plain words only. */
import type { Language } from "./language";

/** What can go wrong; each has a text. */
export type JoinErrorKey =
  | "missing"
  | "invalid"
  | "denied"
  | "noCamera"
  | "noMicrophone"
  | "inUse"
  | "insecure"
  | "unsupported"
  | "deviceLost"
  | "full"
  | "unreachable"
  | "lost"
  | "unknown";

export interface JoinTexts {
  tab: string;
  languages: string;
  headline: string;
  lead: string;
  whoTitle: string;
  who: string;
  checkTitle: string;
  check: string;
  kept: string;
  join: string;
  joinWithoutCamera: string;
  checking: string;
  asking: string;
  connecting: string;
  inCall: string;
  waiting: string;
  rejoining: string;
  ended: string;
  joinAgain: string;
  ownVideo: string;
  remoteVideo: string;
  controls: string;
  mute: string;
  unmute: string;
  cameraOff: string;
  cameraOn: string;
  cameraIsOff: string;
  switchCamera: string;
  soundOn: string;
  light: string;
  lightStop: string;
  leave: string;
  errorTitle: string;
  error: Record<JoinErrorKey, string>;
}

const KK: JoinTexts = {
  tab: "Бейнеқоңырау",
  languages: "Тіл",
  headline: "Сізді бейнеқоңырауға шақырады",
  lead: "Дайын болғанда батырманы басыңыз. Браузер камера мен микрофонға рұқсат сұрайды.",
  whoTitle: "Сізді кім көреді және естиді",
  who: "Осы сілтемені жіберген банктің немесе компанияның қызметкері және алаяқтыққа қарсы жұмыс істейтін әріптестері.",
  checkTitle: "Қоңырау автоматты түрде тексеріледі",
  check:
    "Қоңырау кезінде компьютерлік бағдарлама бейненің немесе дыбыстың машинамен жасалған-жасалмағанын тексереді. Ол қызметкерге ғана хабар береді. Бұл бетте нәтиже ешқашан көрсетілмейді.",
  kept: "Алаяқтықтан қорғау үшін қоңыраудың қысқа бөліктері белгілі бір уақыт сақталуы мүмкін. Толығырақ қызметкерден сұраңыз.",
  join: "Бейнеқоңырауға қосылу",
  joinWithoutCamera: "Камерасыз қосылу",
  checking: "Сілтеме тексерілуде…",
  asking: "Браузерге камера мен микрофонды пайдалануға рұқсат беріңіз…",
  connecting: "Қосылуда…",
  inCall: "Сіз қоңыраудасыз",
  waiting: "Қызметкер сізді көріп, ести алады. Осы бетті жаппаңыз.",
  rejoining: "Байланыс үзілді. Қайта қосылуда…",
  ended: "Қоңырау аяқталды",
  joinAgain: "Қайта қосылу",
  ownVideo: "Сіздің бейнеңіз",
  remoteVideo: "Қызметкердің бейнесі",
  controls: "Қоңырауды басқару",
  mute: "Микрофонды өшіру",
  unmute: "Микрофонды қосу",
  cameraOff: "Камераны өшіру",
  cameraOn: "Камераны қосу",
  cameraIsOff: "Камера өшірулі",
  switchCamera: "Камераны ауыстыру",
  soundOn: "Дыбысты қосу",
  light: "Экран он секунд бойы түстер көрсетеді. Экранға жақын отырып, оған қараңыз.",
  lightStop: "Түстерді тоқтату",
  leave: "Қоңырауды аяқтау",
  errorTitle: "Қосылу мүмкін болмады",
  error: {
    missing: "Сілтеме толық емес. Хабарламадағы сілтемені толығымен ашыңыз.",
    invalid: "Бұл сілтеме енді жарамсыз. Жаңа сілтеме сұраңыз.",
    denied: "Камера мен микрофонға рұқсат берілмеді. Браузердің баптауларында осы бетке рұқсат беріп, қайталап көріңіз.",
    noCamera: "Камера табылмады. Камерасы бар телефонды қолданыңыз немесе камерасыз қосылыңыз.",
    noMicrophone: "Микрофон табылмады. Микрофонды қосып, қайталап көріңіз.",
    inUse: "Камераны немесе микрофонды басқа бағдарлама қолданып тұр. Ол бағдарламаны жауып, қайталап көріңіз.",
    insecure: "Бұл мекенжай қауіпсіз емес, сондықтан браузер камераны қоспайды. Сілтеме https:// деп басталуы керек. Жаңа сілтеме сұраңыз.",
    unsupported: "Бұл браузер бейнеқоңырау жасай алмайды. Сілтемені Chrome немесе Safari браузерінде ашыңыз.",
    deviceLost: "Камера немесе микрофон ажырап қалды. Оны тексеріп, қайта қосылыңыз.",
    full: "Қазір бос орын жоқ. Бір минуттан кейін қайталап көріңіз.",
    unreachable: "Байланыс орнатылмады. Интернетті тексеріп, қайталап көріңіз.",
    lost: "Байланыс үзіліп, қалпына келмеді. Интернетті тексеріп, қайта қосылыңыз.",
    unknown: "Күтпеген қате болды. Қайталап көріңіз немесе жаңа сілтеме сұраңыз.",
  },
};

const RU: JoinTexts = {
  tab: "Видеозвонок",
  languages: "Язык",
  headline: "Вас приглашают на видеозвонок",
  lead: "Нажмите кнопку, когда будете готовы. Браузер спросит разрешение на камеру и микрофон.",
  whoTitle: "Кто вас видит и слышит",
  who: "Сотрудник банка или компании, приславшей вам эту ссылку, и его коллеги, которые борются с мошенничеством.",
  checkTitle: "Звонок проверяется автоматически",
  check:
    "Во время звонка компьютерная программа проверяет, не созданы ли изображение или звук машиной. Она сообщает об этом только сотруднику. На этой странице результат никогда не показывается.",
  kept: "Для защиты от мошенничества короткие части звонка могут храниться ограниченное время. Подробности спросите у сотрудника.",
  join: "Присоединиться к видеозвонку",
  joinWithoutCamera: "Присоединиться без камеры",
  checking: "Ссылка проверяется…",
  asking: "Разрешите браузеру использовать камеру и микрофон…",
  connecting: "Соединяем…",
  inCall: "Вы на связи",
  waiting: "Сотрудник может видеть и слышать вас. Не закрывайте эту страницу.",
  rejoining: "Связь прервалась. Соединяем снова…",
  ended: "Звонок завершён",
  joinAgain: "Присоединиться снова",
  ownVideo: "Ваше изображение",
  remoteVideo: "Изображение сотрудника",
  controls: "Управление звонком",
  mute: "Выключить микрофон",
  unmute: "Включить микрофон",
  cameraOff: "Выключить камеру",
  cameraOn: "Включить камеру",
  cameraIsOff: "Камера выключена",
  switchCamera: "Сменить камеру",
  soundOn: "Включить звук",
  light: "Экран десять секунд будет показывать цвета. Сядьте ближе и смотрите на него.",
  lightStop: "Остановить цвета",
  leave: "Завершить звонок",
  errorTitle: "Не получилось присоединиться",
  error: {
    missing: "Ссылка неполная. Откройте ссылку из сообщения целиком.",
    invalid: "Эта ссылка больше не действует. Попросите новую.",
    denied: "Нет разрешения на камеру и микрофон. Разрешите их для этой страницы в настройках браузера и попробуйте снова.",
    noCamera: "Камера не найдена. Возьмите телефон с камерой или присоединитесь без неё.",
    noMicrophone: "Микрофон не найден. Подключите микрофон и попробуйте снова.",
    inUse: "Камеру или микрофон использует другая программа. Закройте её и попробуйте снова.",
    insecure: "Этот адрес небезопасен, поэтому браузер не включит камеру. Ссылка должна начинаться с https://. Попросите новую.",
    unsupported: "Этот браузер не умеет делать видеозвонки. Откройте ссылку в Chrome или Safari.",
    deviceLost: "Камера или микрофон отключились. Проверьте их и присоединитесь снова.",
    full: "Сейчас нет свободного места. Попробуйте снова через минуту.",
    unreachable: "Не удалось соединиться. Проверьте интернет и попробуйте снова.",
    lost: "Связь прервалась и не восстановилась. Проверьте интернет и присоединитесь снова.",
    unknown: "Произошла неожиданная ошибка. Попробуйте снова или попросите новую ссылку.",
  },
};

const EN: JoinTexts = {
  tab: "Video call",
  languages: "Language",
  headline: "You are invited to a video call",
  lead: "Press the button when you are ready. Your browser will ask for the camera and the microphone.",
  whoTitle: "Who sees and hears you",
  who: "The employee of the bank or company that sent you this link, and colleagues who work against fraud.",
  checkTitle: "The call is checked automatically",
  check:
    "During the call a computer program checks whether picture or sound are made by a machine. It tells only the employee. This page never shows a result.",
  kept: "To protect against fraud, short parts of the call may be kept for a limited time. Ask the employee for details.",
  join: "Join the video call",
  joinWithoutCamera: "Join without a camera",
  checking: "Checking the link…",
  asking: "Allow your browser to use the camera and the microphone…",
  connecting: "Connecting…",
  inCall: "You are in the call",
  waiting: "The employee can see and hear you. Keep this page open.",
  rejoining: "The connection was lost. Connecting again…",
  ended: "The call has ended",
  joinAgain: "Join again",
  ownVideo: "Your picture",
  remoteVideo: "Picture of the employee",
  controls: "Controls of the call",
  mute: "Turn microphone off",
  unmute: "Turn microphone on",
  cameraOff: "Turn camera off",
  cameraOn: "Turn camera on",
  cameraIsOff: "The camera is off",
  switchCamera: "Switch camera",
  soundOn: "Turn sound on",
  light: "For ten seconds the screen shows colours. Stay close and look at it.",
  lightStop: "Stop the colours",
  leave: "End the call",
  errorTitle: "Joining did not work",
  error: {
    missing: "The link is not complete. Open the whole link of the message.",
    invalid: "This link is no longer valid. Ask for a new one.",
    denied: "The camera and the microphone were not allowed. Allow them for this page in the browser's settings, then try again.",
    noCamera: "No camera was found. Use a phone with a camera, or join without one.",
    noMicrophone: "No microphone was found. Connect one, then try again.",
    inUse: "Another program uses the camera or the microphone. Close it, then try again.",
    insecure: "This address is not safe, so the browser will not turn the camera on. The link must begin with https://. Ask for a new one.",
    unsupported: "This browser cannot make video calls. Open the link in Chrome or Safari.",
    deviceLost: "The camera or the microphone went away. Check it, then join again.",
    full: "There is no free place now. Try again in a minute.",
    unreachable: "No connection could be made. Check the internet, then try again.",
    lost: "The connection was lost and did not come back. Check the internet, then join again.",
    unknown: "Something unexpected happened. Try again, or ask for a new link.",
  },
};

export const JOIN: Record<Language, JoinTexts> = { kk: KK, ru: RU, en: EN };
