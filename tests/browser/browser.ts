/** Debian's Chromium for tests; tests that need it are skipped where it is missing. @module */
import { type Browser, chromium } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of a browser on this machine; null when there is none. */
export function browserPath(): string | null {
  const named = Deno.env.get("ZTOQ_TEST_BROWSER");
  const found = [...(named === undefined ? [] : [named]), ...PATHS].find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  return found ?? null;
}

/** Starts the browser. */
export async function launchBrowser(): Promise<Browser & AsyncDisposable> {
  const browser = await chromium.launch({
    executablePath: browserPath() ?? "chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}
