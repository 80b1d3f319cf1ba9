/** Writing reports to files, whole or not at all. @module */
import type { Scope, Store } from "../../core/ports/mod.ts";
import {
  contentFromStore,
  redirects,
  renderLossesCsv,
  renderRedirectsCsv,
  renderReport,
  type ReportContent,
  type Summary,
} from "../../core/report/mod.ts";
import { writeError } from "./files.ts";
import { ends } from "./reading.ts";

/** What a report is about. */
export interface ReportSubject {
  store: Store;
  scope: Scope;
  summary: Summary;
  accepted: readonly string[];
}

/** Content of a report over an open store. */
export function reportContent({ store, scope, summary, accepted }: ReportSubject): ReportContent {
  return contentFromStore(store, scope.id, summary, {
    ...ends(scope),
    generatedAt: new Date().toISOString(),
    accepted,
  });
}

/** Text is gathered to this many characters before it is written. */
const CHUNK_CHARACTERS = 64 * 1024;

/** Streams text to a file through a temporary one beside it; the folder is made. */
export async function writeText(path: string, chunks: AsyncIterable<string>): Promise<void> {
  const partial = `${path}.part`;
  try {
    const folder = path.replace(/[^/\\]*$/, "");
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
    // A device or a pipe is written to, never replaced.
    if (await isDevice(path)) return await writeChunks(path, chunks);
    await writeChunks(partial, chunks);
    await Deno.rename(partial, path);
  } catch (error) {
    // What is left of it matters less than why it could not be written.
    await Deno.remove(partial).catch(() => {});
    throw writeError(error, "the file", path);
  }
}

async function isDevice(path: string): Promise<boolean> {
  const found = await Deno.stat(path).catch(() => null);
  return found !== null && !found.isFile && !found.isDirectory;
}

/** Written by hand: the stream of a file keeps silent about a last write that the disk refused. */
async function writeChunks(path: string, chunks: AsyncIterable<string>): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  const write = async (text: string): Promise<void> => {
    const bytes = encoder.encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  };
  let waiting = "";
  for await (const chunk of chunks) {
    waiting += chunk;
    if (waiting.length < CHUNK_CHARACTERS) continue;
    await write(waiting);
    waiting = "";
  }
  await write(waiting);
  if ((await file.stat()).isFile) await file.sync();
}

/**
 * Writes report.html, summary.json, losses.csv and redirects.csv into a folder.
 * Returns the summary with the paths filled in.
 */
export async function writeReportFiles(
  subject: ReportSubject,
  folder: string,
  database: string,
): Promise<Summary> {
  const at = (name: string): string => `${folder.replace(/\/+$/, "")}/${name}`;
  const files = { report: at("report.html"), redirects: at("redirects.csv"), database };
  const summary: Summary = { ...subject.summary, files };
  const content = reportContent({ ...subject, summary });
  await writeText(files.report, renderReport("html", content));
  await writeText(at("losses.csv"), renderLossesCsv(content.losses()));
  await writeText(
    files.redirects,
    renderRedirectsCsv(redirects(subject.store, subject.scope.id)),
  );
  await writeText(at("summary.json"), one(`${JSON.stringify(summary, null, 2)}\n`));
  return summary;
}

async function* one(text: string): AsyncIterable<string> {
  yield await Promise.resolve(text);
}
