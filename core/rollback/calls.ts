/** Cases that call others go before those: what is left of a call says nothing any more. @module */
import type { RunContext } from "../engine/stage.ts";
import type { TargetRow } from "../ports/mod.ts";
import { targetPages } from "./basis.ts";
import type { Left } from "./doomed.ts";

/** Calling cases that are to be deleted, level by level, callers first; circles end up in the last. */
export async function callersFirst(ctx: RunContext, left: Left): Promise<TargetRow[][]> {
  const open = new Map<string, TargetRow>();
  for await (const page of targetPages(ctx, "testCase")) {
    for (const row of page) {
      if (left.mustGo(row) && callsOf(row).length > 0) open.set(row.key, row);
    }
  }
  const levels: TargetRow[][] = [];
  while (open.size > 0) {
    const called = new Set([...open.values()].flatMap(callsOf));
    const free = [...open.values()].filter((row) => !called.has(row.key));
    const level = free.length > 0 ? free : [...open.values()];
    levels.push(level);
    for (const row of level) open.delete(row.key);
  }
  return levels;
}

function callsOf(row: TargetRow): string[] {
  return Array.isArray(row.detail.calls) ? row.detail.calls.map(String) : [];
}
