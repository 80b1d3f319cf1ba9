import { assertEquals } from "@std/assert";
import { openLibsqlStore } from "../../adapters/libsql/mod.ts";
import { killHard } from "../helpers/kill.ts";

/** Creates the schema in a process of its own and says when it begins and ends. */
const CHILD = `
  import { openLibsqlStore } from ${
  JSON.stringify(new URL("../../adapters/libsql/mod.ts", import.meta.url).href)
};
  const store = await openLibsqlStore({ url: Deno.args[0] });
  console.log("begin");
  await store.migrate();
  console.log("end");
`;

Deno.test("migrate() makes the whole schema or nothing, killed in the middle", async () => {
  const folder = await Deno.makeTempDir({ prefix: "ztoq-schema-" });
  const script = `${folder}/child.ts`;
  await Deno.writeTextFile(script, CHILD);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  let cut = 0;
  for (let delayMs = 0; delayMs < 24; delayMs += 4) {
    const url = `file:${folder}/${delayMs}.db`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", config, script, url],
      stdout: "piped",
      stderr: "null",
      stdin: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    let said = new TextDecoder().decode(value);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    killHard(child);
    for (;;) {
      const { value: more, done } = await reader.read();
      if (done) break;
      said += new TextDecoder().decode(more);
    }
    await child.status;
    if (!said.includes("end")) cut++;
    const store = await openLibsqlStore({ url });
    await store.migrate();
    assertEquals((await store.check()).problems, []);
    assertEquals(await store.scopes(), []);
    await store.close();
  }
  // On a fast machine a kill may come late; how many came in time is worth knowing.
  console.log(`${cut} of 6 were killed before the end`);
  await Deno.remove(folder, { recursive: true });
});
