import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const SERVICE = "http://127.0.0.1:8400";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2022",
    // The page's content security policy allows files of our own only, so nothing may become a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/v1": { target: SERVICE, ws: true }, "/whip": SERVICE } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
