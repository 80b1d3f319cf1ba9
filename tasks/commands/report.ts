/** `ztoq report` @module */
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { renderReport, type ReportFormat } from "../../core/report/mod.ts";
import { needRun, readSummary, withStore } from "../cli/reading.ts";
import { reportContent, writeText } from "../cli/report_files.ts";
import type { CommandContext } from "../cli/spec.ts";

/** Writes a report to stdout or to `--out`. With `--json`, stdout carries one JSON document in any case. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { options, globals } = context;
  const out = typeof options.out === "string" ? options.out : null;
  const format = formatOf(options.format, globals.json && out === null ? "json" : "html", out);
  return await withStore(context, async (reading) => {
    const { run, scope } = await needRun(context, reading);
    const summary = await readSummary(reading, run);
    const accepted = reading.settings.accept;
    const chunks = renderReport(
      format,
      reportContent({ store: reading.store, scope, summary, accepted }),
    );
    if (out !== null) {
      await writeText(out, chunks);
      if (globals.json) context.printJson({ runId: run.id, format, file: out });
      else context.note(`Wrote ${out}.\n`);
    } else if (globals.json && format !== "json") {
      context.printJson({ runId: run.id, format, text: await joined(chunks) });
    } else {
      for await (const chunk of chunks) context.io.out(context.redactor.redact(chunk));
    }
    return EXIT.done;
  });
}

async function joined(chunks: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += chunk;
  return text;
}

/** `--format`, else what the name of the file says, else the usual one. */
function formatOf(option: unknown, usual: ReportFormat, out: string | null): ReportFormat {
  if (typeof option === "string") return option as ReportFormat;
  const extension = /\.(html?|json|csv|xml)$/i.exec(out ?? "")?.[1]?.toLowerCase();
  if (extension === "json" || extension === "csv") return extension;
  return extension === "xml" ? "junit" : usual;
}
