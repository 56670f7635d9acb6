import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { auth } from "./lib/auth.svelte";
import { language } from "./lib/language";
import { route } from "./lib/route.svelte";

document.documentElement.lang = language;
auth.load(location, history);
route.read(location);

// Takes clips that other apps share with this one; it serves nothing else.
if ("serviceWorker" in navigator && isSecureContext && route.page !== "join") {
  navigator.serviceWorker.register("/sw.js").catch(() => undefined);
}

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
mount(App, { target });
