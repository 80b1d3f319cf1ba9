/** A small client for tests of the simulator; knows nothing of the adapter. @module */
import { assertEquals } from "@std/assert";
import {
  type QtestSimulator,
  type QtestSimulatorOptions,
  startQtestSimulator,
} from "../../adapters/qtest/simulator/mod.ts";
import { loadSwagger, type SwaggerCheck } from "./swagger_check.ts";

// deno-lint-ignore no-explicit-any -- answers are looked into freely by the tests
export type Any = any;

export interface Reply {
  status: number;
  json: Any;
  text: string;
  headers: Headers;
}

export interface CallOptions {
  params?: Record<string, string | number>;
  query?: Record<string, string | number | boolean>;
  body?: unknown;
  raw?: BodyInit;
  headers?: Record<string, string>;
  /** Answers are checked against the document unless this is false. */
  isChecked?: boolean;
}

const PROJECT = "/api/v3/projects/{projectId}";
let swagger: SwaggerCheck | undefined;

/** Connections are not reused: the runtime would send a lost POST again by itself. */
export class SimClient implements AsyncDisposable {
  readonly #http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  constructor(readonly sim: QtestSimulator) {}

  static async start(options: QtestSimulatorOptions = {}): Promise<SimClient> {
    return new SimClient(await startQtestSimulator(options));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    await this.sim.close();
  }

  /** Sends a request; `path` is a template of the document, `~` stands for the project. */
  async send(method: string, path: string, options: CallOptions = {}): Promise<Reply> {
    const template = path.replace(/^~/, PROJECT);
    const values: Record<string, string | number> = {
      projectId: this.sim.projectId,
      ...options.params,
    };
    const url = new URL(
      this.sim.url + template.replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name])),
    );
    for (const [key, value] of Object.entries(options.query ?? {})) {
      url.searchParams.set(key, String(value));
    }
    const json = options.body === undefined ? undefined : JSON.stringify(options.body);
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `bearer ${this.sim.token}`,
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      body: options.raw ?? json,
      client: this.#http,
    });
    const reply = await readReply(response);
    if (options.isChecked !== false && response.ok) {
      swagger ??= loadSwagger();
      assertEquals(swagger.check(method, template, reply.status, reply.json), []);
    }
    return reply;
  }

  async make(path: string, body: unknown, query: CallOptions["query"] = {}): Promise<Any> {
    const reply = await this.send("POST", path, { body, query });
    assertEquals(reply.status < 300, true, `${path} ${reply.status} ${reply.text}`);
    return reply.json;
  }
  async get(path: string, options: CallOptions = {}): Promise<Any> {
    const reply = await this.send("GET", path, options);
    assertEquals(reply.status, 200, `${path} ${reply.text}`);
    return reply.json;
  }

  module(name: string, parentId = 0): Promise<Any> {
    return this.make("~/modules", { name, parent_id: parentId }, { parentId });
  }
  /** A module with one case of some steps. */
  async testCase(steps = 2, more: Record<string, unknown> = {}): Promise<Any> {
    const parent = await this.module(`Module ${crypto.randomUUID()}`);
    const testCase = await this.make("~/test-cases", {
      name: "Case",
      parent_id: parent.id,
      test_steps: Array.from({ length: steps }, (_, index) => ({
        description: `Do ${index + 1}`,
        expected: `See ${index + 1}`,
        order: index + 1,
      })),
      ...more,
    });
    return await this.get("~/test-cases/{testCaseId}", {
      params: { testCaseId: testCase.id },
      query: { expand: "teststep" },
    });
  }
  /** A suite with one run of a case. */
  async run(testCase: Any): Promise<Any> {
    const suite = await this.make("~/test-suites", { name: "Suite" }, {
      parentId: 0,
      parentType: "root",
    });
    return await this.make(
      "~/test-runs",
      { name: "Run", test_case: { id: testCase.id } },
      { parentId: suite.id, parentType: "test-suite" },
    );
  }
  async approve(testCase: Any): Promise<Any> {
    const path = "~/test-cases/{testCaseId}/approve";
    return (await this.send("PUT", path, { params: { testCaseId: testCase.id } })).json;
  }
  log(run: Any, body: Record<string, unknown>): Promise<Reply> {
    return this.send("POST", "~/test-runs/{testRunId}/test-logs", {
      params: { testRunId: run.id },
      body: {
        status: { id: 601 },
        exe_start_date: "2026-01-02T03:04:05+00:00",
        exe_end_date: "2026-01-02T03:05:05Z",
        ...body,
      },
    });
  }
}

async function readReply(response: Response): Promise<Reply> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, json, text, headers: response.headers };
}
