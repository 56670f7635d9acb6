import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { OWN_HANDLE } from "./lib/capture";
import { auth } from "./lib/auth.svelte";
import { language } from "./lib/language";
import { route } from "./lib/route.svelte";

document.documentElement.lang = language;
auth.load(location, history);
route.read(location);

// Takes clips that other apps share with this one; it serves nothing else.
if ("serviceWorker" in navigator && isSecureContext && route.page !== "join" && route.page !== "answer") {
  navigator.serviceWorker.register("/sw.js").catch(() => undefined);
}

// A page that captures a tab can see that it is one of ours: see `capture.ts`. Within a frame we are not the tab.
const devices = navigator.mediaDevices as (MediaDevices & { setCaptureHandleConfig?: (config: object) => void }) | undefined;
if (window.parent === window) devices?.setCaptureHandleConfig?.({ handle: OWN_HANDLE, permittedOrigins: ["*"] });

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
mount(App, { target });
