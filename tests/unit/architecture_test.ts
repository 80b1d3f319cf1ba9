import { assertEquals } from "@std/assert";
import * as assertModule from "@std/assert";
import * as parseArgsModule from "@std/cli/parse-args";

const ROOT = new URL("../../", import.meta.url);

/** Packages that only some folders may use; the rest of the import map is for everyone. */
const PACKAGES_OF_CORE = ["zod", "htmlparser2"];
const TEST_ONLY = ["fast-check", "ajv", "yaml", "@std/assert", "@std/testing/bdd"];

async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(new URL(`${folder}/`, ROOT))).catch(() => []);
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await sources(path));
    else if (/\.tsx?$/.test(path) && !path.endsWith(".d.ts")) found.push(path);
  }
  return found;
}

/** Imports of a file, local ones as paths from the root. */
async function importsOf(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  const names = text.matchAll(
    /^\s*(?:import|export)\b[^"';]*?\bfrom "([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  return [...names].map(([, from, lazy]) => from ?? lazy ?? "").map((name) =>
    name.startsWith(".") ? new URL(name, new URL(path, "file:///")).pathname.slice(1) : name
  );
}

/** Whether a file may import a name: the directions of the design, in one place. */
function allowed(path: string, name: string): boolean {
  if (TEST_ONLY.includes(name)) return false;
  const local = /^(core|adapters|routes|tasks|main\.ts|mod\.ts|deno\.json)/.test(name);
  if (path.startsWith("core/")) {
    return local
      ? name.startsWith("core/")
      : PACKAGES_OF_CORE.includes(name) || name === "node:crypto";
  }
  if (path.startsWith("adapters/")) {
    const own = path.split("/").slice(0, 2).join("/");
    if (!local || name.startsWith("core/") || path === "adapters/connect.ts") {
      return !name.startsWith("tasks/");
    }
    const shared = [
      "adapters/http/",
      ...(path.includes("/simulator/") ? ["adapters/simulator_kit/"] : []),
    ];
    return name.startsWith(`${own}/`) || shared.some((folder) => name.startsWith(folder));
  }
  const own = path.split("/")[0] ?? "";
  return !local || name.startsWith("core/") || name.startsWith(`${own}/`) ||
    (own === "tasks" && ["adapters/connect.ts", "routes/mod.ts", "deno.json"].includes(name));
}

Deno.test("imports keep the directions of the house: core ← adapters, routes, tasks ← main", async () => {
  const wrong: string[] = [];
  for (const folder of ["core", "adapters", "routes", "tasks"]) {
    for (const path of await sources(folder)) {
      for (const name of await importsOf(path)) {
        if (!allowed(path, name)) wrong.push(`${path} imports ${name}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("core/ asks neither Deno nor the clock nor the network", async () => {
  const wrong: string[] = [];
  for (const path of await sources("core")) {
    const text = (await Deno.readTextFile(new URL(path, ROOT)))
      .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    if (/\bDeno\.|\bfetch\(|\bDate\.now\(|\bperformance\.now\(/.test(text)) wrong.push(path);
  }
  assertEquals(wrong, []);
});

Deno.test("every name declared in tasks/types/std.d.ts exists at run time", async () => {
  const text = await Deno.readTextFile(new URL("tasks/types/std.d.ts", ROOT));
  const modules: Record<string, Record<string, unknown>> = {
    "@std/assert": { ...assertModule },
    "@std/cli/parse-args": { ...parseArgsModule },
  };
  const missing: string[] = [];
  for (
    const [, name = "", body = ""] of text.matchAll(/declare module "([^"]+)" \{([\s\S]*?)\n\}/g)
  ) {
    for (const [, declared = ""] of body.matchAll(/export function (\w+)/g)) {
      if (typeof modules[name]?.[declared] !== "function") missing.push(`${name} ${declared}`);
    }
  }
  assertEquals(missing, []);
});
