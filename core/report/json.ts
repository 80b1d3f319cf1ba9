/** The report as one JSON document: the summary's members, then the lists. @module */
import type { ReportContent } from "./content.ts";

/** Streams the document; lists are `lossRows`, `issueRows` and `differenceRows`. */
export async function* renderJson(content: ReportContent): AsyncIterable<string> {
  const { source, target, generatedAt, summary } = content;
  const head = JSON.stringify({ source, target, generatedAt, ...summary }, null, 2);
  yield head.slice(0, head.lastIndexOf("}")).trimEnd();
  yield* list("issueRows", content.issues());
  yield* list("differenceRows", content.differences());
  yield* list("lossRows", content.losses());
  yield "\n}\n";
}

async function* list(name: string, rows: AsyncIterable<unknown>): AsyncIterable<string> {
  yield `,\n  ${JSON.stringify(name)}: [`;
  let separator = "\n    ";
  for await (const row of rows) {
    yield separator + JSON.stringify(row);
    separator = ",\n    ";
  }
  yield separator.startsWith(",") ? "\n  ]" : "]";
}
