/**
 * Whether a case is found by its automation content. A job that does not find it makes a case of its
 * own, so what this load did not create with that content is read before it is relied on.
 * @module
 */
import type { TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { transformOf } from "../transform/stages/context.ts";
import { normalizeText } from "../text/mod.ts";

export class BulkCases {
  readonly #ctx: RunContext;
  readonly #read = new Map<string, boolean>();

  constructor(ctx: RunContext) {
    this.#ctx = ctx;
  }

  /** Why the logs of a case cannot go in bulk; null = they can. */
  async reasonAgainst(row: TargetRow | undefined): Promise<string | null> {
    if (row?.state !== "loaded" || row.targetId === null) return "its test case is not loaded";
    if (this.#ctx.settings.target.approve && row.detail.approved !== true) {
      return "its test case is not approved";
    }
    // A job takes any case with the content, and the copy that `rename` left alone has it as well.
    if (await this.#hasTwins()) {
      return "an earlier copy of its test case has its automation content";
    }
    if (row.origin === "created" && row.detail.automation === true) return null;
    const known = this.#read.get(row.key) ?? await this.#hasContent(row, row.targetId);
    this.#read.set(row.key, known);
    return known ? null : "its test case has no automation content of ours";
  }

  async #hasTwins(): Promise<boolean> {
    const { context } = await transformOf(this.#ctx);
    return (context.leftAlone?.size ?? 0) > 0;
  }

  async #hasContent(row: TargetRow, id: string): Promise<boolean> {
    const { context } = await transformOf(this.#ctx);
    const field = context.field("testCase", "system:automationContent");
    const found = await this.#ctx.target.read("testCase", id, this.#ctx.readSignal);
    const value = found?.fields.find((entry) => entry.fieldId === field?.id)?.value;
    const text = value?.type === "text" ? value.text : value?.type === "richText" ? value.html : "";
    return normalizeText(text) === row.key;
  }
}
