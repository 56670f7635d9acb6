// Takes a clip that is shared from another app into Kua, and hands it to the page. It caches nothing else: what the
// page shows must never be older than the service.
const SHARED = "kua-shared";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === "POST" && url.origin === location.origin && url.pathname === "/share") {
    event.respondWith(take(event.request));
  }
});

async function take(request) {
  const clip = (await request.formData()).get("clip");
  const cache = await caches.open(SHARED);
  await cache.delete("/shared-clip");
  if (clip instanceof File && clip.size) {
    const headers = { "Content-Type": clip.type || "application/octet-stream", "Kua-Name": encodeURIComponent(clip.name) };
    await cache.put("/shared-clip", new Response(clip, { headers }));
  }
  return Response.redirect("/clip?shared=1", 303);
}
