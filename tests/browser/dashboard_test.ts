/// <reference lib="dom" />
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { startPlane, TOKEN, VIEW_TOKEN, worldServices } from "../helpers/control_plane.ts";
import { startWorld } from "../helpers/world.ts";
import { browserPath, launchBrowser } from "./browser.ts";

const ignore = browserPath() === null;
if (ignore) console.warn("No Chromium on this machine: the tests of the dashboard are skipped.");

interface Shown {
  page: Page;
  /** What the browser complained about. */
  complaints: string[];
  url: string;
}

/** Opens the dashboard of a server over both simulators. */
async function withDashboard(
  content: { cases: number; executions: number; target?: number },
  work: (shown: Shown) => Promise<void>,
): Promise<void> {
  const { cases, executions, target = 2_400 } = content;
  await using world = await startWorld({ zephyr: { seed: 3, data: { cases, executions } } });
  const plane = startPlane(worldServices(world, {}, {
    source: { requestsPerMinute: 6_000 },
    target: { requestsPerMinute: target, settleMs: 500, timeoutMs: 2_000 },
  }));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
    (request, info) => plane.app.fetch(request, info),
  );
  const browser = await launchBrowser();
  const complaints: string[] = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1180, height: 900 } });
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await work({ page, complaints, url: `http://127.0.0.1:${server.addr.port}/` });
  } finally {
    await browser.close();
    await plane.close();
    await server.shutdown();
  }
}

async function state(page: Page, word: RegExp): Promise<void> {
  await page.locator("#run-state").filter({ hasText: word }).waitFor();
}

async function confirm(page: Page, verb: string): Promise<void> {
  await page.click(`[data-verb="${verb}"]`);
  await page.click("#confirm-yes");
  await page.locator("#confirm-dialog").waitFor({ state: "hidden" });
}

/** Where pictures go when somebody wants to look at them. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("ZTOQ_TEST_SCREENSHOTS");
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` });
}

Deno.test({
  name: "the dashboard starts, pauses, throttles, resumes and validates a migration by clicks",
  ignore,
  fn: () =>
    withDashboard({ cases: 60, executions: 120 }, async ({ page, complaints, url }) => {
      await page.goto(url);
      await page.fill("#token", "not-the-token");
      await page.keyboard.press("Enter");
      await page.locator("#token-wrong").filter({ hasText: "not known" }).waitFor();
      // The browser notes the 401 that was asked for.
      complaints.length = 0;
      await page.fill("#token", TOKEN);
      await page.keyboard.press("Enter");
      await page.locator(".empty").waitFor();
      assertEquals(await page.evaluate(() => document.cookie + localStorage.length), "0");
      await page.click("#new-run");
      await page.fill("#field-project", "no project");
      await page.click("#confirm-yes");
      await page.locator("#confirm-wrong").filter({ hasText: "source.projectKey" }).waitFor();
      complaints.length = 0;
      await page.fill("#field-project", "");
      await page.click("#confirm-yes");
      await state(page, /extracting|loading/);
      await page.click('[data-verb="pause"]');
      await page.fill("#field-reason", "<img src=x onerror=alert(1)> lunch");
      await page.click("#confirm-yes");
      await state(page, /paused/);
      assertMatch(await page.locator("#run-notice").innerText(), /^Paused: <img src=x/);
      assertEquals(await page.locator("#run-notice img").count(), 0);
      await picture(page, "paused");
      assert(await page.locator('[data-verb="pause"]').isDisabled());
      await page.click('[data-verb="limits"]');
      await page.fill("#field-target", "100000");
      await page.click("#confirm-yes");
      await page.locator('[data-system="target"] .rate').filter({ hasText: "100,000/min allowed" })
        .waitFor();
      await confirm(page, "resume");
      await state(page, /completed/);
      await page.locator("#kinds").filter({ hasText: "Test cases" }).waitFor();
      await confirm(page, "validate");
      await page.click("#tab-events");
      await page.locator("#panel").filter({ hasText: "validate by tester" }).waitFor();
      await state(page, /completed/);
      await page.click("#tab-losses");
      await page.locator("#panel .key").first().click();
      await page.locator("#story pre").first().waitFor();
      await picture(page, "story");
      await page.keyboard.press("Escape");
      const download = page.waitForEvent("download");
      await page.click('[data-download="redirects"]');
      assertMatch((await download).suggestedFilename(), /^redirects-.*\.csv$/);
      await picture(page, "completed");
      assertEquals(complaints, []);
    }),
});

/** WCAG contrast of every visible text against what is behind it; the worst pair of each kind. */
function lowContrast(): string[] {
  const channel = (value: number): number => {
    const share = value / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const parse = (text: string): number[] => (text.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r = 0, g = 0, b = 0]: number[]): number =>
    0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element: Element | null): number[] => {
    for (let node = element; node !== null; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || (color[3] ?? 0) > 0.99) return color;
    }
    return [255, 255, 255];
  };
  const found: string[] = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) =>
      node.nodeType === Node.TEXT_NODE && (node.textContent ?? "").trim() !== ""
    );
    const isOff = (element as HTMLButtonElement).disabled === true;
    if (!own || isOff || element.getClientRects().length === 0) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...new Set(found)];
}

Deno.test({
  name: "the dashboard is readable in light and dark, fits a phone, and works by keyboard",
  ignore,
  fn: () =>
    withDashboard(
      { cases: 8, executions: 12, target: 60_000 },
      async ({ page, complaints, url }) => {
        await page.goto(url);
        await page.fill("#token", TOKEN);
        await page.keyboard.press("Enter");
        await page.locator(".empty").waitFor();
        await page.focus("#new-run");
        await page.keyboard.press("Enter");
        await page.locator("#field-project:focus").waitFor();
        await page.keyboard.press("Enter");
        await state(page, /completed/);
        await page.focus("#tab-errors");
        await page.keyboard.press("ArrowRight");
        await page.locator("#tab-losses:focus").waitFor();
        await page.locator("#panel .key").first().waitFor();
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          for (const width of [1_180, 390]) {
            await page.setViewportSize({ width, height: 844 });
            await picture(page, `${colorScheme}-${width}`);
            assertEquals(await page.evaluate(lowContrast), [], `${colorScheme} ${width}`);
            const overflow = await page.evaluate(() =>
              document.documentElement.scrollWidth - document.documentElement.clientWidth
            );
            assertEquals(overflow, 0, `${colorScheme} ${width}: wider than the screen`);
          }
        }
        const unnamed = await page.evaluate(() =>
          [...document.querySelectorAll("button, input, select, a")].filter((element) => {
            const labels = (element as HTMLInputElement).labels?.length ?? 0;
            const name = (element.textContent ?? "").trim() +
              (element.getAttribute("aria-label") ?? "");
            return name === "" && labels === 0;
          }).length
        );
        assertEquals(unnamed, 0);
        assertEquals(complaints, []);
      },
    ),
});

Deno.test({
  name: "the dashboard gives a viewer nothing to press, and says when a run is not there",
  ignore,
  fn: () =>
    withDashboard({ cases: 4, executions: 4, target: 60_000 }, async (shown) => {
      const { page, complaints, url } = shown;
      const started = await fetch(`${url}v1/migrations`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const { runId } = await started.json();
      await page.goto(url);
      await page.fill("#token", VIEW_TOKEN);
      await page.keyboard.press("Enter");
      await page.locator(".run-card").click();
      await state(page, /completed/);
      await page.locator("#role").waitFor();
      assertEquals(await page.locator("#new-run").isVisible(), false);
      assertEquals(await page.locator("[data-verb]:enabled").count(), 0);
      assertMatch(page.url(), new RegExp(`#/runs/${runId}$`));
      await picture(page, "viewer");
      assertEquals(complaints, []);
      await page.goto(`${url}#/runs/nothing`);
      await page.locator("#trouble").filter({ hasText: "This run is not here" }).waitFor();
      assertEquals(await page.locator("#run").isVisible(), false);
      await page.click("#trouble a");
      await page.locator(".run-card").waitFor();
    }),
});
