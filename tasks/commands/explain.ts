/** `ztoq explain`: one source record from end to end. @module */
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { storiesOf, type Story } from "../../core/report/story.ts";
import { needRun, withStore } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { table } from "../cli/style.ts";
import { issueText } from "./errors.ts";
import { notFound } from "./records.ts";

/** Prints everything known about a record. */
export async function run(context: CommandContext): Promise<ExitCode> {
  return await withStore(context, async (reading) => {
    const { scope } = await needRun(context, reading);
    const [key = ""] = context.args;
    const stories = await storiesOf(reading.store, scope.id, key);
    if (stories.length === 0) throw notFound(key);
    if (context.globals.json) context.printJson(stories.length === 1 ? stories[0] : stories);
    else for (const story of stories) context.say(storyText(story));
    return EXIT.done;
  });
}

function storyText(story: Story): string {
  const parts = [
    `${story.kind} ${story.key}${story.id === story.key ? "" : ` (id ${story.id})`}\n`,
  ];
  parts.push(`Source:\n${JSON.stringify(story.source, null, 2)}\n`);
  for (const [name, value] of Object.entries(story.details)) {
    if (value !== null) parts.push(`Source, ${name}:\n${JSON.stringify(value, null, 2)}\n`);
  }
  parts.push(
    story.targets.length === 0 ? "Target: nothing planned yet\n" : `Target:\n${
      table(
        ["Kind", "State", "Id", "Number", "How", "Attempts", "Sent", "Last answer"],
        story.targets.map((row) => [
          row.kind,
          row.state,
          row.targetId ?? "",
          row.detail.pid ?? "",
          row.origin ?? "",
          row.attempt,
          row.sentAt ?? "",
          (row.lastError ?? "").slice(0, 100),
        ]),
      )
    }`,
  );
  if (story.losses.length > 0) {
    parts.push(`Losses:\n${
      table(
        ["Rule", "Field", "Before", "After"],
        story.losses.map((row) => [
          row.rule,
          row.field,
          (row.before ?? "").slice(0, 60),
          (row.after ?? "").slice(0, 60),
        ]),
      )
    }`);
  }
  if (story.issues.length > 0) parts.push(`Problems:\n${story.issues.map(issueText).join("")}`);
  return `${parts.join("\n")}\n`;
}
