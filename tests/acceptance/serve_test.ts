import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { cli, tempFolder } from "./cli_process.ts";
import { serve, simulators } from "./serve_process.ts";

const TOKEN = "acceptance-token-1";
const AUTH = { authorization: `Bearer ${TOKEN}` };

Deno.test("serve runs a whole migration, steered by curl and from other terminals", async () => {
  await using folder = await tempFolder();
  const both = await simulators({ cases: 25, executions: 60 });
  const env: Record<string, string> = {
    ...both.env,
    ZTOQ_API_TOKEN: TOKEN,
    ZTOQ_DB_URL: `file:${folder.path}/ztoq.db`,
  };
  const server = await serve(["serve", "--port", "0"], env, folder.path);
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> =>
    await fetch(`${server.url}${path}`, {
      method,
      headers: { ...AUTH, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const here = { cwd: folder.path, env };
  const remote = ["--server", server.url, "--json"];
  try {
    assertEquals(
      (await fetch(`${server.url}/v1/migrations`).then((a) => a.text().then(() => a))).status,
      401,
    );
    assertEquals((await (await ask("GET", "/readyz")).json()).status, "ready");
    const started = await ask("POST", "/v1/migrations", {
      source: { requestsPerMinute: 600 },
      target: { requestsPerMinute: 3_000, settleMs: 500 },
    });
    assertEquals(started.status, 202);
    const id = started.headers.get("location") ?? "";
    const { runId } = await started.json();
    assertEquals(
      (await ask("POST", "/v1/migrations", {}).then((a) => a.text().then(() => a))).status,
      409,
    );

    // Another terminal on the same database pauses it; a third one, elsewhere, looks and resumes it.
    const paused = await cli(["pause", "--reason", "lunch", "--json"], here);
    assertEquals(paused.code, 0, paused.stderr);
    let state = "";
    for (let n = 0; n < 100 && state !== "paused"; n++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ({ state } = await (await ask("GET", id)).json());
    }
    assertEquals(state, "paused");
    const status = await cli(["status", ...remote], here);
    assertEquals([JSON.parse(status.stdout).state, JSON.parse(status.stdout).reason], [
      "paused",
      "lunch",
    ]);
    const held = await cli(["migrate", "--json"], here);
    assertEquals(held.code, 7);
    const limits = await cli(["limits", "--source", "60000", ...remote], here);
    assertEquals(JSON.parse(limits.stdout).limits.source, {
      requestsPerMinute: 60_000,
      configured: 600,
    });
    assertEquals((await cli(["resume", ...remote], here)).code, 0);

    const watched = await cli(["watch", ...remote], here);
    assertEquals(watched.code, 0, watched.stderr);
    const events = watched.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(events.at(-1).state, "completed");
    for (const event of events) {
      assertEquals([event.runId, typeof event.at, typeof event.type], [runId, "string", "string"]);
    }
    const again = await cli(["watch", "--json"], here);
    assertEquals(JSON.parse(again.stdout.trim().split("\n").at(-1) ?? "").state, "completed");
    const validated = await fetch(`${server.url}${id}/validate`, {
      method: "POST",
      headers: { ...AUTH, prefer: "wait=60" },
    });
    assertEquals([validated.status, (await validated.json()).result], [200, 0]);
    const finished = await cli(["pause", ...remote], here);
    assertEquals(finished.code, 2);
    assertStringIncludes(finished.stderr, "completed");
    assertEquals(JSON.parse((await cli(["runs", ...remote], here)).stdout).length, 1);
    assertMatch(await (await ask("GET", `${id}/redirects?format=csv`)).text(), /^kind,key/);
    assert((await Deno.stat(`${folder.path}/ztoq-report/${runId}/report.html`)).size > 1_000);
  } finally {
    const { code, stdout, stderr } = await server.stop();
    await both.stop();
    assertEquals(code, 0);
    for (const secret of [TOKEN, env.ZEPHYR_API_TOKEN ?? "?", env.QTEST_BEARER_TOKEN ?? "?"]) {
      assert(!stdout.includes(secret) && !stderr.includes(secret));
    }
  }
});

Deno.test("serve ends cleanly on SIGTERM; the run can be resumed and repeats nothing", async () => {
  await using folder = await tempFolder();
  const both = await simulators({ cases: 20, executions: 40 });
  const env = { ...both.env, ZTOQ_DB_URL: `file:${folder.path}/ztoq.db` };
  const server = await serve(["serve", "--port", "0", "--source-rpm", "1200"], env, folder.path);
  try {
    const started = await fetch(`${server.url}/v1/migrations`, { method: "POST" });
    assertEquals(started.status, 202);
    await started.body?.cancel();
    const stream = await fetch(`${server.url}${started.headers.get("location")}/events`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { code, stderr } = await server.stop();
    assertEquals(code, 0, stderr);
    await stream.text();
    const status = JSON.parse((await cli(["status", "--json"], { cwd: folder.path, env })).stdout);
    assertEquals(status.interrupted, true);
    const rest = await cli([
      "migrate",
      "--json",
      "--settle-ms",
      "500",
      "--target-timeout-ms",
      "2000",
    ], { cwd: folder.path, env });
    const summary = JSON.parse(rest.stdout);
    assertEquals([rest.code, summary.runId, summary.state], [0, status.runId, "completed"]);
    assertEquals(summary.validation.duplicate, 0);
  } finally {
    await server.stop();
    await both.stop();
  }
});

Deno.test("serve refuses what would be unsafe or cannot work, and says what to do", async () => {
  await using folder = await tempFolder();
  const env = { ZTOQ_DB_URL: `file:${folder.path}/ztoq.db` };
  const open = await cli(["serve", "--host", "0.0.0.0", "--port", "0"], { env });
  assertEquals([open.code, open.stdout], [2, ""]);
  assertStringIncludes(open.stderr, "ZTOQ_API_TOKEN");
  const config = `${folder.path}/ztoq.json`;
  await Deno.writeTextFile(config, JSON.stringify({ schedules: [{ cron: "every day" }] }));
  const never = await cli(["serve", "--port", "0", "--config", config], { env });
  assertEquals([never.code, never.stdout], [2, ""]);
  assertMatch(never.stderr, /^error: Cannot use the configuration: schedules\[0\]\.cron/);
  const server = await serve(["serve", "--port", "0", "--json"], env);
  try {
    const { port } = JSON.parse(server.told);
    const taken = await cli(["serve", "--port", String(port)], { env });
    assertEquals([taken.code, taken.stdout], [2, ""]);
    assertStringIncludes(taken.stderr, "--port");
    const foreign = await fetch(`${server.url}/v1/migrations`, {
      headers: { origin: "http://evil.test" },
    });
    assertEquals(foreign.status, 403);
    await foreign.body?.cancel();
    const ready = await fetch(`${server.url}/readyz`);
    assertEquals(ready.status, 503);
    assertStringIncludes(await ready.text(), "ZEPHYR_API_TOKEN");
  } finally {
    await server.stop();
  }
  const gone = await cli(["status", "--server", server.url], { env });
  assertEquals(gone.code, 1);
  assertStringIncludes(gone.stderr, "Cannot reach");
  const inAddress = await cli(["status", "--server", "http://me:secret@127.0.0.1:1"], { env });
  assertEquals(inAddress.code, 2);
});
