import { assertEquals, assertRejects } from "@std/assert";
import { createQtestHttp } from "../../adapters/qtest/mod.ts";
import { AccessError } from "../../core/errors.ts";
import { createFakeClock } from "../helpers/fake_clock.ts";
import { Answer, fakeHttp, type Script, signal } from "./qtest_fake.ts";

const BASE = { baseUrl: "https://q.test/", requestsPerMinute: 400, clock: createFakeClock() };

function login(script: Script): {
  options: ReturnType<typeof createQtestHttp>;
  http: ReturnType<ReturnType<typeof createQtestHttp>["bind"]>;
  sent: ReturnType<typeof fakeHttp>["sent"];
} {
  const options = createQtestHttp({ ...BASE, username: "u", password: "secret" });
  const { http, sent } = fakeHttp(script);
  return { options, http: options.bind(http), sent };
}

async function tokenOf(options: ReturnType<typeof createQtestHttp>): Promise<string | null> {
  const headers = new Headers();
  await options.authorize(headers);
  return headers.get("authorization");
}

Deno.test("createQtestHttp() sends a static token and gives up on 401", async () => {
  const options = createQtestHttp({ ...BASE, token: "bearer abc" });
  assertEquals(await tokenOf(options), "Bearer abc");
  assertEquals(await options.refresh?.(signal), false);
  assertEquals(options.baseUrl, "https://q.test");
});

Deno.test("createQtestHttp() logs in once through the same client, before the first request", async () => {
  const { options, http, sent } = login((line) =>
    line.includes("/oauth/") ? { access_token: "t1" } : []
  );
  const get = { method: "GET", path: "/x", route: "/x", effect: "read", signal } as const;
  await Promise.all([http.request(get), http.request(get)]);
  assertEquals(sent.map((each) => each.line), ["POST /oauth/token", "GET /x", "GET /x"]);
  const spec = sent[0]?.spec;
  assertEquals(spec?.form, { grant_type: "password", username: "u", password: "secret" });
  assertEquals([spec?.headers?.Authorization, spec?.anonymous, spec?.effect], [
    `Basic ${btoa("ztoq:")}`,
    true,
    "idempotent",
  ]);
  assertEquals(await tokenOf(options), "Bearer t1");
});

Deno.test("refresh() tries the refresh token once and then logs in anew", async () => {
  let issued = 0;
  const { options, http, sent } = login((_, spec) => {
    if (spec.form?.grant_type === "refresh_token") {
      return new Answer(400, { error: "invalid_grant" });
    }
    return { access_token: `t${++issued}`, refresh_token: `r${issued}` };
  });
  await http.request({ method: "GET", path: "/x", route: "/x", effect: "read", signal });
  sent.length = 0;
  assertEquals(await Promise.all([options.refresh?.(signal), options.refresh?.(signal)]), [
    true,
    true,
  ]);
  const tries = sent.map(({ spec }) => [spec.form?.grant_type, spec.headers?.Authorization]);
  assertEquals(tries, [
    ["refresh_token", "Basic cXRlc3QtYXBpOg=="],
    ["password", `Basic ${btoa("ztoq:")}`],
  ]);
});

Deno.test("bind() stops with access denied and no password in the message, when the login is refused", async () => {
  const { http } = login(() => new Answer(401, { error: "unauthorized" }));
  const error = await assertRejects(
    () => http.request({ method: "GET", path: "/x", route: "/x", effect: "read", signal }),
    AccessError,
    'Cannot log in as "u"',
  );
  assertEquals(JSON.stringify([error.message, error.hint]).includes("secret"), false);
});
