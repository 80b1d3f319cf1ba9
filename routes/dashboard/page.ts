/** The page of the dashboard. @module */
import { html } from "hono/html";

export function page(_: { version: string; needsToken: boolean }): ReturnType<typeof html> {
  return html`<!doctype html>`;
}
