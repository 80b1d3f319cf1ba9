/** The page of the dashboard: structure and words; the script fills in the data. @module */
import { html } from "hono/html";
import { PHASES } from "../../core/ports/mod.ts";

type Html = ReturnType<typeof html>;

const PHASE_WORDS: Readonly<Record<string, string>> = {
  extract: "Extract",
  transform: "Transform",
  load: "Load",
  validate: "Validate",
};

/** Renders the page. It holds no data, so nobody needs a token to see it. */
export function page({ version, needsToken }: { version: string; needsToken: boolean }): Html {
  return html`
    <!doctype html>
    <html lang="en" data-needs-token="${String(needsToken)}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>ztoq</title>
        <link rel="icon"
          href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%23106070'/%3E%3Cpath d='M4 4h8L4 12h8' fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E">
        <link rel="stylesheet" href="/assets/app.css">
        <script type="module" src="/assets/app.js"></script>
      </head>
      <body>
      <a class="skip" href="#main">Skip to content</a>
      <header class="top">
        <a class="brand" href="#/">ztoq</a>
        <span class="quiet version">${version}</span>
        <span class="link" id="link" role="status"></span>
        <span class="quiet" id="role" hidden>View only</span>
        <button type="button" class="plain" id="sign-out" hidden>Forget token</button>
        <button type="button" class="primary" id="new-run">New migration</button>
      </header>
      <main id="main" tabindex="-1">
        <noscript><p class="notice bad">The dashboard needs JavaScript. The API works without: see <a href="/openapi.json">openapi.json</a>.</p></noscript>
        ${overview()}
        ${runView()}
        ${trouble()}
      </main>
      ${dialogs()}
      <div id="toast" role="status" aria-live="polite"></div>
      </body>
    </html>
  `;
}

function overview(): Html {
  return html`
    <section id="overview" hidden aria-labelledby="overview-title">
      <h1 id="overview-title">Migrations</h1>
      <div id="runs" aria-live="off"></div>
    </section>
  `;
}

function trouble(): Html {
  return html`
    <section id="trouble" hidden aria-labelledby="trouble-title">
      <nav aria-label="Breadcrumb"><a href="#/">All migrations</a></nav>
      <div class="refused" role="alert">
        <h1 id="trouble-title"></h1>
        <p class="quiet" id="trouble-text"></p>
      </div>
    </section>
  `;
}

function card(name: string, title: string, unit: string): Html {
  return html`
    <article data-system="${name}" aria-label="${title}">
      <h2>${title}</h2>
      <p class="figure"><b></b> <span class="quiet">${unit}</span></p>
      <div class="bar meter" aria-hidden="true"><span></span></div>
      <p class="quiet rate"></p>
      <svg class="spark" viewBox="0 0 240 44" preserveAspectRatio="none" role="img"></svg>
      <p class="quiet peak"></p>
    </article>
  `;
}

function runView(): Html {
  return html`
    <section id="run" hidden aria-labelledby="run-title">
      <nav aria-label="Breadcrumb"><a href="#/">All migrations</a></nav>
      <div class="headline">
        <h1 id="run-title"></h1>
        <span class="state" id="run-state" role="status"></span>
      </div>
      <p class="quiet" id="run-about"></p>
      <div id="run-notice" role="status"></div>
      <div class="actions" role="group" aria-label="Control">
        <button type="button" data-verb="pause">Pause</button>
        <button type="button" data-verb="resume">Resume</button>
        <button type="button" data-verb="limits">Change limits</button>
        <button type="button" data-verb="validate">Validate</button>
        <button type="button" data-verb="retry">Retry set-aside records</button>
        <span class="gap"></span>
        <button type="button" class="danger" data-verb="cancel">Cancel</button>
        <button type="button" class="danger" data-verb="rollback">Roll back</button>
      </div>
      <ol class="phases" id="phases">
                ${PHASES.map((phase) =>
                  html`
                    <li data-phase="${phase}">
                      <h2>${PHASE_WORDS[phase] ?? phase}</h2>
                      <div class="bar" role="progressbar" aria-label="${PHASE_WORDS[phase] ??
                        phase}" aria-valuemin="0"
                        aria-valuemax="100"><span></span></div>
                      <p></p>
                    </li>
                  `
                )}
              </ol>
      <div class="systems" id="systems">
    ${card("source", "Requests to the source", "sent")}
            ${card("target", "Requests to the target", "sent")}
            ${card("records", "Records finished", "")}
          </div>
      <h2>Records by kind</h2>
      <div class="wide" id="kinds" tabindex="0" role="region" aria-label="Records by kind"></div>
      <details id="stages">
        <summary>Stages under way</summary>
        <div class="wide" tabindex="0" role="region" aria-label="Stages"></div>
      </details>
      <div class="downloads" role="group" aria-label="Downloads">
        <form id="explain" role="search">
          <label for="explain-key">Story of one record</label>
          <input id="explain-key" name="key" placeholder="SA-T12" autocomplete="off" required
            maxlength="500">
          <button type="submit">Show</button>
        </form>
        <div>
          <span class="quiet">Download</span>
          <button type="button" class="plain" data-download="report" data-format="html">Report</button>
          <button type="button" class="plain" data-download="report"
            data-format="json">Report (JSON)</button>
          <button type="button" class="plain" data-download="report"
            data-format="csv">Report (CSV)</button>
          <button type="button" class="plain" data-download="redirects"
            data-format="csv">Redirects (CSV)</button>
        </div>
      </div>
      <div class="tabs" role="tablist" aria-label="Results">
                ${[["errors", "Set aside"], ["losses", "Losses"], ["differences", "Validation"], [
                  "events",
                  "Events",
                ]].map(([id = "", label = ""]) =>
                  html`
                    <button type="button" role="tab" id="tab-${id}" aria-controls="panel" aria-selected="false"
                      tabindex="-1" data-tab="${id}">${label} <span class="count"></span></button>
                  `
                )}
              </div>
      <div id="panel" role="tabpanel" tabindex="0"></div>
    </section>
  `;
}

function dialogs(): Html {
  return html`
    <dialog id="token-dialog" aria-labelledby="token-title">
      <form method="dialog">
        <h2 id="token-title">Token</h2>
        <p>This control plane is closed. The token stays in this tab and is forgotten when you close it.</p>
        <label for="token">Bearer token</label>
        <input id="token" type="password" autocomplete="off" required>
        <p class="wrong" id="token-wrong" role="alert"></p>
        <div class="buttons"><button type="submit" class="primary">Open</button></div>
      </form>
    </dialog>
    <dialog id="confirm-dialog" aria-labelledby="confirm-title">
      <form method="dialog">
        <h2 id="confirm-title"></h2>
        <p id="confirm-text"></p>
        <div id="confirm-fields"></div>
        <p class="wrong" id="confirm-wrong" role="alert"></p>
        <div class="buttons">
          <button type="button" value="no" id="confirm-no">Back</button>
          <button type="submit" value="yes" class="primary" id="confirm-yes"></button>
        </div>
      </form>
    </dialog>
    <dialog id="story-dialog" class="broad" aria-labelledby="story-title">
      <div
        class="headline"><h2 id="story-title"></h2><button type="button" id="story-close">Close</button></div>
      <div id="story"></div>
    </dialog>
  `;
}
