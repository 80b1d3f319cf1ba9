import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Ajv } from "ajv";
import {
  configSchema,
  emptyMapping,
  formatMapping,
  type LoadedSettings,
  loadSettings,
  mappingSchema,
  mergeMapping,
  nearestName,
  parseMapping,
  SETTINGS,
  type SettingSources,
  starterConfig,
  withoutSecrets,
} from "../../core/config/mod.ts";
import { parseJson } from "../../core/config/file.ts";
import { fileFault } from "../../core/config/file_fault.ts";
import { ConfigError } from "../../core/errors.ts";

const ENV: Record<string, string> = {
  ZEPHYR_API_TOKEN: "zephyr-secret-1",
  ZEPHYR_PROJECT_KEY: "SA",
  QTEST_BASE_URL: "https://acme.qtestnet.com/",
  QTEST_BEARER_TOKEN: "qtest-secret-2",
  QTEST_PROJECT_ID: "1001",
};

function load(
  over: Partial<Omit<SettingSources, "env" | "file">> & {
    env?: Record<string, string>;
    file?: unknown;
  } = {},
): LoadedSettings {
  const env = over.env ?? ENV;
  const text = typeof over.file === "string" ? over.file : JSON.stringify(over.file);
  return loadSettings({
    options: over.options ?? {},
    env: (name) => env[name],
    file: over.file === undefined ? null : { path: "ztoq.json", text },
    readSecretFile: over.readSecretFile ?? ((path): string => {
      throw new Error(`no ${path}`);
    }),
    need: over.need ?? "migration",
  });
}

function problem(over: Parameters<typeof load>[0]): string {
  const error = assertThrows(() => load(over), ConfigError);
  assertEquals(error.exitCode, 2);
  return error.message;
}

Deno.test("loadSettings() needs nothing but the environment", () => {
  const { settings, warnings } = load();
  assertEquals(warnings, []);
  assertEquals(settings.source.token, "zephyr-secret-1");
  assertEquals(settings.source.requestsPerMinute, 400);
  assertEquals(settings.target.baseUrl, "https://acme.qtestnet.com");
  assertEquals(settings.target.projectId, "1001");
  assertEquals(settings.target.rootName, "Zephyr SA");
  assertEquals(settings.store, { url: "file:./ztoq.db", authToken: null });
  assertEquals(settings.include.attachments, "entities");
  assertEquals(settings.maxOutageMs, 3_600_000);
  assertEquals(settings.monthReserve, 100);
  assertEquals(settings.validation, { rules: {}, sample: 1 });
  assertEquals(settings.controlPlane, { token: null, tokens: [] });
});

Deno.test("loadSettings() takes option over environment over file over default", () => {
  const file = { source: { requestsPerMinute: 10 }, target: { requestsPerMinute: 20 } };
  const env = { ...ENV, ZEPHYR_RPM: "30" };
  assertEquals(load({ file }).settings.source.requestsPerMinute, 10);
  assertEquals(load({ file, env }).settings.source.requestsPerMinute, 30);
  const { settings } = load({ file, env, options: { "source-rpm": "40" } });
  assertEquals(settings.source.requestsPerMinute, 40);
  assertEquals(settings.target.requestsPerMinute, 20);
});

Deno.test("loadSettings() treats an empty variable as unset", () => {
  assertEquals(load({ env: { ...ENV, ZEPHYR_RPM: "" } }).settings.source.requestsPerMinute, 400);
  assertStringIncludes(problem({ env: { ...ENV, ZEPHYR_API_TOKEN: " " } }), "ZEPHYR_API_TOKEN");
});

Deno.test("loadSettings() lists every missing setting with its names at once", () => {
  const message = problem({ env: {} });
  for (
    const name of [
      "source.token",
      "ZEPHYR_API_TOKEN",
      "ZEPHYR_PROJECT_KEY",
      "--project",
      "QTEST_BASE_URL",
      "QTEST_PROJECT_ID",
      "--qtest-project",
      "QTEST_BEARER_TOKEN",
      "QTEST_USERNAME and QTEST_PASSWORD",
    ]
  ) assertStringIncludes(message, name);
});

Deno.test("loadSettings() accepts user name with password instead of a token, never half of it", () => {
  const { QTEST_BEARER_TOKEN: _, ...rest } = ENV;
  const { settings } = load({ env: { ...rest, QTEST_USERNAME: "ann", QTEST_PASSWORD: "p w" } });
  assertEquals(settings.target.username, "ann");
  assertEquals(settings.target.password, "p w");
  assertStringIncludes(problem({ env: { ...rest, QTEST_USERNAME: "ann" } }), "QTEST_PASSWORD");
});

Deno.test("loadSettings() needs no credentials, when only the store is read", () => {
  const { settings } = load({ env: {}, need: "store", file: { source: { token: "file:gone" } } });
  assertEquals(settings.source.token, "");
  assertEquals(settings.store.url, "file:./ztoq.db");
});

Deno.test("loadSettings() names the nearest known key of unknown ones", () => {
  const message = problem({
    file: { sorce: {}, source: { tokn: "x" }, projectKey: "SA", target: { rpm: 1 }, store: "x" },
  });
  assertStringIncludes(message, '"sorce"; the nearest known key is "source"');
  assertStringIncludes(message, '"source.tokn"; the nearest known key is "source.token"');
  assertStringIncludes(message, '"projectKey"; the nearest known key is "source.projectKey"');
  assertStringIncludes(message, '"store" is not an object');
});

Deno.test("loadSettings() names path, value and what is wanted of wrong values", () => {
  const message = problem({
    file: {
      source: { requestsPerMinute: 0, concurrency: 65 },
      target: { marker: "feild", approve: "maybe" },
      validation: { rules: { test_status_maping: {} }, sample: 0 },
      maxOutage: "1 day",
    },
    env: { ...ENV, QTEST_RPM: "fast", QTEST_PROJECT_ID: "abc" },
    options: { store: "mysql://x" },
  });
  assertStringIncludes(message, "source.requestsPerMinute (ztoq.json) is 0; wanted");
  assertStringIncludes(message, "source.concurrency (ztoq.json) is 65");
  assertStringIncludes(message, 'target.marker (ztoq.json) is "feild"; wanted one of field');
  assertStringIncludes(message, 'target.requestsPerMinute (QTEST_RPM) is "fast"');
  assertStringIncludes(message, 'target.projectId (QTEST_PROJECT_ID) is "abc"');
  assertStringIncludes(message, 'store.url (--store) is "mysql://x"');
  assertStringIncludes(message, 'the nearest is "test_status_mapping"');
  assertStringIncludes(message, "validation.sample");
  assertStringIncludes(message, "maxOutage");
});

Deno.test("loadSettings() refuses a rate window that could not be followed", () => {
  const window = { from: "08:00", to: "18:00", source: { requestsPerMinute: 60 } };
  const { settings } = load({ file: { limits: { schedule: [window] } } });
  assertEquals(settings.limits.schedule, [window]);
  const wrong = [window, { ...window, from: "8" }];
  assertEquals(
    problem({ file: { limits: { schedule: wrong } } }),
    'Cannot use the configuration: limits.schedule[1].from; wanted a time such as "08:00"',
  );
  assertStringIncludes(problem({ file: { limits: { schedule: [{ form: "8" }] } } }), ".form");
});

Deno.test("loadSettings() does not call a token missing that cannot be used", () => {
  const message = problem({ env: { ...ENV, QTEST_BEARER_TOKEN: "two words" } });
  assertStringIncludes(message, "target.token (QTEST_BEARER_TOKEN) holds blanks");
  assert(!message.includes("missing"), message);
});

Deno.test("loadSettings() reads shares, durations and aliases", () => {
  const { settings } = load({
    options: { sample: "5%", "max-outage": "30m", attachments: "false", accept: "no-log,name-cut" },
    file: { include: { links: false }, target: { projectId: 42 } },
    env: { ...ENV, QTEST_PROJECT_ID: "" },
  });
  assertEquals(settings.validation.sample, 0.05);
  assertEquals(settings.maxOutageMs, 1_800_000);
  assertEquals(settings.include.attachments, "none");
  assertEquals(settings.include.links, false);
  assertEquals(settings.accept, ["no-log", "name-cut"]);
  assertEquals(settings.target.projectId, "42");
  assertEquals(
    load({ file: { include: { attachments: true } } }).settings.include.attachments,
    "all",
  );
});

Deno.test("loadSettings() resolves secrets and warns of literal ones", () => {
  const { ZEPHYR_API_TOKEN: _, ...env } = ENV;
  const named = load({ env: { ...env, MINE: "abc123" }, file: { source: { token: "env:MINE" } } });
  assertEquals(named.settings.source.token, "abc123");
  assertEquals(named.warnings, []);
  const fromFile = load({
    env,
    file: { source: { token: "file:/run/token" } },
    readSecretFile: (path) => path === "/run/token" ? "Bearer filed-token\n" : "",
  });
  assertEquals(fromFile.settings.source.token, "filed-token");
  assert(fromFile.secrets.includes("filed-token"));
  const literal = load({ env, file: { source: { token: "plain-token" } } });
  assertEquals(literal.settings.source.token, "plain-token");
  assertEquals(literal.warnings.length, 1);
  assert(!literal.warnings.join().includes("plain-token"));
  const unset = problem({ env, file: { source: { token: "env:NOT_THERE" } } });
  assertStringIncludes(unset, "set NOT_THERE");
  assertStringIncludes(problem({ env, file: { source: { token: "file:gone" } } }), '"gone"');
});

Deno.test("loadSettings() ignores a reference to an unset variable, when the secret is optional", () => {
  const file = { store: { authToken: "env:ZTOQ_DB_AUTH_TOKEN" } };
  assertEquals(load({ file }).settings.store.authToken, null);
});

Deno.test("loadSettings() never repeats credentials in a message", () => {
  const messages = [
    problem({ env: { ...ENV, QTEST_BASE_URL: "https://ann:hunter22@acme.qtestnet.com" } }),
    problem({ env: { ...ENV, ZTOQ_DB_URL: "libsql://db.example?authToken=hunter22" } }),
    problem({ env: { ...ENV, ZEPHYR_API_TOKEN: "hunter22 with\nbreaks" } }),
    problem({ file: '{"source": {"token": "hunter22" oops}}' }),
    problem({ env: {}, file: { source: { token: ["hunter22"] } } }),
  ];
  for (const message of messages) assert(!message.includes("hunter22"), message);
});

Deno.test("loadSettings() says where the file is not JSON", () => {
  assertStringIncludes(problem({ file: '{\n  "source": {,}\n}' }), "ztoq.json: not valid JSON");
});

Deno.test("loadSettings() warns of http to other machines only, and of unknown loss rules", () => {
  const warnings = (url: string): string[] =>
    load({ env: { ...ENV, QTEST_BASE_URL: url } }).warnings;
  assertEquals(warnings("http://127.0.0.1:8080").length, 0);
  assertEquals(warnings("http://qtest.example").length, 1);
  assertStringIncludes(load({ options: { accept: "name-cutt" } }).warnings.join(), '"name-cut"');
});

Deno.test("withoutSecrets() leaves no secret value behind", () => {
  const { settings } = load({ env: { ...ENV, ZTOQ_API_TOKEN: "control-secret-3" } });
  const text = JSON.stringify(withoutSecrets(settings));
  assertStringIncludes(text, "https://acme.qtestnet.com");
  for (const secret of ["zephyr-secret-1", "qtest-secret-2", "control-secret-3"]) {
    assert(!text.includes(secret));
  }
});

Deno.test("configSchema() accepts the starter and refuses what loadSettings() refuses", () => {
  const validate = new Ajv({ strict: false }).compile(configSchema());
  const answers = {
    sourceUrl: "https://api.zephyrscale.smartbear.com/v2",
    projectKey: "SA",
    targetUrl: "https://acme.qtestnet.com",
    projectId: "1001",
  };
  const starter: Record<string, unknown> = Object(JSON.parse(starterConfig(answers)));
  assert(validate(starter), JSON.stringify(validate.errors));
  assertEquals(
    load({ file: starter, env: { ...ENV, ZEPHYR_PROJECT_KEY: "" } }).settings.source.projectKey,
    "SA",
  );
  assert(!validate({ ...starter, sorce: {} }));
  assert(!validate({ target: { marker: "feild" } }));
  assert(!validate({ source: { requestsPerMinute: 0 } }));
  const contract = {
    include: { folders: true, executions: "all", executionSteps: "executed", attachments: true },
    target: { onExisting: "skip", settleMs: 30000, timeoutMs: 30000, logs: "auto" },
    limits: { schedule: [] },
    schedules: [],
    webhooks: [],
    controlPlane: { tokens: [] },
    validation: { rules: { entity_count_comparison: { level: "warning" } } },
    accept: ["name-cut"],
    onDeleted: "report",
    onEdited: "keep",
    maxOutage: "1h",
    monthReserve: 100,
  };
  assert(validate(contract), JSON.stringify(validate.errors));
  load({ file: contract });
});

Deno.test("SETTINGS has unique paths, options and environment names, and a help for each", () => {
  for (const part of ["path", "option", "env"] as const) {
    const names = SETTINGS.map((setting) => setting[part]).filter((name) => name !== null);
    assertEquals(new Set(names).size, names.length, part);
  }
  for (const { path, help, type, option } of SETTINGS) {
    assert(help.length > 5, path);
    if (type.name === "secret") assertEquals(option, null, path);
  }
});

Deno.test("nearestName() forgives case, hyphens and swapped letters", () => {
  assertEquals(nearestName("migrtae", ["doctor", "migrate", "report"]), "migrate");
  assertEquals(nearestName("SourceRpm", ["target-rpm", "source-rpm"]), "source-rpm");
  assertEquals(nearestName("x", []), null);
});

Deno.test("parseMapping() reads the contract's example", () => {
  const example = {
    $schema: "x",
    statuses: { execution: { Pass: "Passed", Parked: null } },
    priorities: { P1: "Critical" },
    users: { id1: "ann" },
    names: { "component 12029": "Billing" },
    issues: { "305177": "ABC-1" },
    fields: { testCase: { Browser: { label: "Browser", type: "combo" } } },
    automationStatuses: { Passed: "PASS" },
    defaults: { status: "Incomplete", priority: "Medium" },
    required: { testCase: { "Cost centre": "A" } },
  };
  const { $schema: _, ...wanted } = example;
  const mapping = parseMapping("m.json", JSON.stringify(example));
  assertEquals<unknown>(mapping, wanted);
  const validate = new Ajv({ strict: false }).compile(mappingSchema());
  assert(validate(example), JSON.stringify(validate.errors));
  assert(validate(JSON.parse(formatMapping(emptyMapping()))));
});

Deno.test("parseMapping() refuses unknown keys and wrong values, all at once", () => {
  const error = assertThrows(
    () =>
      parseMapping(
        "m.json",
        JSON.stringify({
          statusses: {},
          priorities: { P1: 3 },
          fields: { testcase: {}, testCase: { A: { type: "list", labl: "x" } } },
          defaults: { priority: null },
        }),
      ),
    ConfigError,
  );
  assertStringIncludes(error.message, '"statusses"; the nearest known key is "statuses"');
  assertStringIncludes(error.message, '"priorities.P1" is no text');
  assertStringIncludes(
    error.message,
    '"fields.testcase"; the nearest known key is "fields.testCase"',
  );
  assertStringIncludes(error.message, "wanted one of text");
  assertStringIncludes(error.message, "labl");
  assertStringIncludes(error.message, "defaults.priority");
});

Deno.test("mergeMapping() only adds: null and other people's values stay", () => {
  const existing = { ...emptyMapping(), statuses: { execution: { Parked: null, Pass: "Mine" } } };
  const { mapping, added } = mergeMapping(existing, {
    statuses: { execution: { Parked: "Passed", Pass: "Passed", New: "Failed" } },
    priorities: { P9: "Low" },
  });
  assertEquals(mapping.statuses.execution, { Parked: null, Pass: "Mine", New: "Failed" });
  assertEquals(added, ["statuses.execution.New", "priorities.P9"]);
  assertEquals(existing.priorities, {});
});

Deno.test("parseJson() says where JSON ends to be JSON, whatever the mistake, and never the text", () => {
  const cases: [string, string][] = [
    ['{\n"a": }', "line 2, column 6"],
    ['{\n "a": 1,\n}', "line 3, column 1"],
    ["[1,2", "line 1, column 5"],
    ['{"a": "secret', "line 1, column 7"],
    ["", "line 1, column 1"],
    ['{"a": 1} x', "line 1, column 10"],
    ["[tru]", "line 1, column 2"],
    ['{"a" 1}', "line 1, column 6"],
  ];
  for (const [text, place] of cases) {
    const error = assertThrows(() => parseJson("x.json", text), ConfigError, place);
    assertEquals(String(error).includes("secret"), false);
  }
});

Deno.test("fileFault() knows what the runtime throws, and nothing else", () => {
  const coded = (code: string): Error => Object.assign(new Error("x"), { code });
  const named = (name: string): Error => Object.assign(new Error("x"), { name });
  assertEquals(fileFault(coded("ENOSPC"))?.kind, "full");
  assertEquals(fileFault(coded("EROFS"))?.kind, "denied");
  assertEquals(fileFault(named("IsADirectory"))?.kind, "folder");
  assertEquals(fileFault(named("NotADirectory"))?.kind, "blocked");
  assertEquals(fileFault(named("NotFound"))?.kind, "missing");
  assertEquals(fileFault(new TypeError("x")), null);
});
