import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports/mod.ts";
import {
  checkZephyrBaseUrl,
  createZephyrHttp,
  createZephyrSource,
  readZephyrError,
} from "../../adapters/zephyr/mod.ts";
import { fakeHttp } from "./zephyr_fake.ts";

const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };

Deno.test("checkZephyrBaseUrl() accepts the regions and other hosts, without trailing slash", () => {
  for (const region of ["", "eu.", "au.", "de."]) {
    const url = `https://${region}api.zephyrscale.smartbear.com/v2`;
    assertEquals(checkZephyrBaseUrl(`${url}/`), url);
  }
  assertEquals(checkZephyrBaseUrl("http://127.0.0.1:8080/v2"), "http://127.0.0.1:8080/v2");
});

Deno.test("checkZephyrBaseUrl() names the product of an address that is not Zephyr Scale", () => {
  const refused: [string, string][] = [
    ["https://prod-api.zephyr4jiracloud.com/v2", "Squad"],
    ["https://jira.example.com/rest/zapi/latest", "Squad"],
    ["https://e.example.com/flex/services/rest/latest", "Enterprise"],
    ["https://jira.example.com/rest/atm/1.0", "Data Center"],
    ["https://app.tm4j.smartbear.com/backend/rest/tests/2.0", "private backend"],
    ["https://acme.atlassian.net", "Jira"],
    ["https://api.zephyrscale.smartbear.com", "/v2"],
    ["https://user:secret@api.zephyrscale.smartbear.com/v2", "credentials"],
    ["ftp://x/v2", "no http"],
    ["nonsense", "no http"],
  ];
  for (const [url, words] of refused) {
    const error = assertThrows(() => checkZephyrBaseUrl(url), ConfigError, words);
    assert(!error.message.includes("secret"));
    const http = fakeHttp(() => undefined);
    assertThrows(() => createZephyrSource({ http, baseUrl: url, projectKey: "P" }), ConfigError);
  }
});

Deno.test("createZephyrHttp() sends the token as bearer and shows it nowhere else", () => {
  const settings = {
    baseUrl: "https://eu.api.zephyrscale.smartbear.com/v2/",
    token: " Bearer a.b.c\n",
    requestsPerMinute: 400,
    maxOutageMs: 5,
    clock,
  };
  const options = createZephyrHttp(settings);
  const headers = new Headers();
  options.authorize(headers);
  assertEquals(headers.get("authorization"), "Bearer a.b.c");
  assert(!JSON.stringify(options).includes("a.b.c"));
  assertEquals(options.baseUrl, "https://eu.api.zephyrscale.smartbear.com/v2");
  assertEquals([options.system, options.requestsPerMinute, options.maxOutageMs], [
    "source",
    400,
    5,
  ]);
});

Deno.test("createZephyrHttp() refuses a token no header can carry, without repeating it", () => {
  for (const token of ["", "sec ret", "sec\nret"]) {
    const settings = { baseUrl: "https://x.test/v2", token, requestsPerMinute: 0, clock };
    const error = assertThrows(() => createZephyrHttp(settings), ConfigError, "token");
    assert(!error.message.includes("sec"));
  }
});

Deno.test("readZephyrError() finds the vendor's words in every shape of body", () => {
  const html = "<html><head><style>p{}</style></head><body><h1>503</h1>The Lambda failed</body>";
  const shapes: [unknown, string, string | null][] = [
    [{ errorCode: 404, message: "No such case" }, "", "No such case"],
    [{ error: "Unauthorized" }, "", "Unauthorized"],
    [{ message: "Forbidden" }, "", "Forbidden"],
    [undefined, html, "503 The Lambda failed"],
    [undefined, "upstream reset", "upstream reset"],
    [undefined, "", null],
  ];
  for (const [body, text, words] of shapes) assertEquals(readZephyrError(body, text), words);
});

Deno.test("the adapter has no request but GET", async () => {
  const folder = new URL("../../adapters/zephyr/", import.meta.url);
  const methods: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.isFile) continue;
    const code = await Deno.readTextFile(new URL(entry.name, folder));
    methods.push(...code.matchAll(/method:\s*([^,}\s]+)/g).map((match) => match[1] ?? ""));
    assert(
      !/\bfetch\(|"(POST|PUT|PATCH|DELETE)"|effect: "(create|idempotent)"/.test(code),
      entry.name,
    );
  }
  assertEquals(methods, ['"GET"']);
});
