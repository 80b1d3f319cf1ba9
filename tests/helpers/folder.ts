/** Folders that are gone when a test is over. @module */

/** A folder that is removed at the end of its scope. */
export async function tempFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "ztoq-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Gives the work a folder of its own and removes it afterwards. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  await work(folder.path);
}
