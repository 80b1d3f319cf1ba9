/**
 * Runs the tests and ends with the line `N passed, N failed`.
 *
 * Arguments go to `deno test`: `deno task test tests/unit`, `deno task test --filter migrate`.
 * @module
 */

/** Long enough for the slowest machine; a hanging test must not hang the gate. */
const LIMIT_MS = 30 * 60_000;

const junitPath = await Deno.makeTempFile({ suffix: ".xml" });
const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--parallel", "--no-prompt", `--junit-path=${junitPath}`, ...Deno.args],
  stdin: "null",
}).spawn();
const timer = setTimeout(() => {
  console.error(`The tests did not end within ${LIMIT_MS / 60_000} minutes; stopping them.`);
  child.kill("SIGKILL");
}, LIMIT_MS);
const { code } = await child.status;
clearTimeout(timer);

const xml = await Deno.readTextFile(junitPath).catch(() => "");
await Deno.remove(junitPath);
const bodies = [...xml.matchAll(/<testcase\b[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)]
  .map((match) => match[1] ?? "");
const skipped = bodies.filter((body) => body.includes("<skipped")).length;
const broken = bodies.filter((body) => /<(failure|error)\b/.test(body)).length;
const failed = code !== 0 && broken === 0 ? 1 : broken;
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${bodies.length - skipped - broken} passed, ${failed} failed`);
Deno.exit(failed > 0 && code === 0 ? 1 : code);
