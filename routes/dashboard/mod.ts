/** The dashboard: a server-rendered page and its two embedded files. @module */
import { type App, createApp } from "../context.ts";
import type { ControlPlaneServices } from "../services.ts";
import script from "./app.js" with { type: "text" };
import style from "./app.css" with { type: "text" };
import { page } from "./page.ts";

const ASSETS: Readonly<Record<string, { type: string; text: string }>> = {
  "/assets/app.js": { type: "text/javascript; charset=utf-8", text: script },
  "/assets/app.css": { type: "text/css; charset=utf-8", text: style },
};

/** Routes of the page. They need no token and hold no data: the script reads that with the token. */
export function dashboardRoutes(services: ControlPlaneServices): App {
  const app = createApp();
  const needsToken = services.tokens.length > 0;
  app.get("/", (c) => c.html(page({ version: services.version, needsToken })));
  for (const [path, { type, text }] of Object.entries(ASSETS)) {
    app.get(
      path,
      () => new Response(text, { headers: { "content-type": type, "cache-control": "no-cache" } }),
    );
  }
  return app;
}
