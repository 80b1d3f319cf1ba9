/**
 * Compiles ztoq into one binary in `dist/`.
 *
 * `deno task compile [--target TRIPLE]` needs the base binary of Deno's download host.
 * `deno task compile --archive-check` needs nothing: it takes the running `deno` as the base, writes
 * a file that is thrown away, and checks what would be embedded.
 * @module
 */

const PERMISSIONS = [
  "--allow-net",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--no-prompt",
];

/** Must be embedded: without them the binary cannot open a database or serve. */
const WANTED = [
  /\b(linux|darwin|win32)-(x64|arm64)(-gnu|-msvc)?\/\*/,
  /@libsql\b/,
  /\bhono\//,
  /\bky\//,
  /\bmigrations\/\S*\.sql/,
];
/** Must not be: tools of tests and of development. */
const UNWANTED = [/playwright/, /drizzle-kit/, /esbuild/, /fast-check/, /(^|\s)tests?\//m];

async function compile(args: string[], env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", "--frozen", "--exclude-unused-npm", ...PERMISSIONS, ...args, "main.ts"],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (code !== 0) {
    console.error(text);
    console.error(
      "\nThe base binary could not be had? Put it into DENORT_BIN, or use --archive-check.",
    );
    Deno.exit(1);
  }
  return text;
}

async function archiveCheck(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ztoq-compile-" });
  try {
    const base = await Deno.realPath(Deno.execPath());
    const text = await compile(["-o", `${folder}/ztoq`], { DENORT_BIN: base });
    const list = text.slice(text.indexOf("Embedded Files"));
    const lacking = WANTED.filter((pattern) => !pattern.test(list));
    const surplus = UNWANTED.filter((pattern) => pattern.test(list));
    if (text.indexOf("Embedded Files") < 0 || lacking.length + surplus.length > 0) {
      console.error(list);
      console.error(`missing: ${lacking.join(", ")}; too much: ${surplus.join(", ")}`);
      Deno.exit(1);
    }
    const size = /^Files: (\S+)/m.exec(text)?.[1] ?? "unknown size";
    console.log(`archive ok: ${size} embedded`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (Deno.args.includes("--help")) {
  console.log("Usage: deno task compile [--archive-check | --target TRIPLE]\nWrites dist/ztoq.");
} else if (Deno.args.includes("--archive-check")) await archiveCheck();
else {
  await Deno.mkdir("dist", { recursive: true });
  console.log(await compile([...Deno.args, "-o", "dist/ztoq"], {}));
}
