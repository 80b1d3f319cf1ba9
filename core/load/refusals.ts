/** What can be done about a create that the target refused. @module */
import type { Change, Draft, DraftKind, StepDraft, TargetRow } from "../ports/mod.ts";
import type { RefusedError } from "../errors.ts";
import { StopError } from "../errors.ts";
import { numberedName } from "./prepare.ts";

/** So many equal refusals in a row mean that the fault is not in the records. */
const MAX_EQUAL_REFUSALS = 10;
/** How tenants word that siblings may not share a name. */
const NAME_TAKEN = /already (exists|in use|taken)|duplicate|must be unique|not unique/i;
const MAX_NAME_NUMBER = 50;

/** Counts equal refusals that follow one another. */
export class EqualRefusals {
  readonly #kind: DraftKind;
  #signature = "";
  #count = 0;

  constructor(kind: DraftKind) {
    this.#kind = kind;
  }

  /** Numbers in an answer differ from record to record and say nothing. */
  count(error: RefusedError): void {
    const signature = `${error.status} ${error.answer.replace(/\d+/g, "#")}`;
    this.#count = signature === this.#signature ? this.#count + 1 : 1;
    this.#signature = signature;
  }

  forget(): void {
    this.#signature = "";
    this.#count = 0;
  }

  /** Throws {@linkcode StopError} (exit 1) when the fault is not in the records. */
  assertPlausible(error: RefusedError): void {
    if (this.#count < MAX_EQUAL_REFUSALS) return;
    throw new StopError(
      1,
      `Cannot go on: the target refused ${MAX_EQUAL_REFUSALS} ${this.#kind} in a row with "${
        error.answer.slice(0, 200)
      }"`,
      { hint: "Put it right, then run `ztoq errors retry` and the same command again." },
    );
  }
}

/** Refused with its files inside: it is sent without them, and they follow on their own. */
export function filesOnTheirOwn(row: TargetRow, inline: readonly string[]): Change[] {
  return [{
    op: "targets",
    rows: [
      { kind: row.kind, key: row.key, state: "pending" },
      ...inline.map((key) => ({
        kind: "attachment" as const,
        key,
        detail: { inlined: false, object: `${row.kind}`, alone: true },
      })),
    ],
  }];
}

/**
 * The case with a dash in place of each empty text of a step, as the transform writes it once the
 * tenant is known to refuse them; null when there is none. Called cases bring their own texts.
 */
export function withDashes(draft: Draft): Draft | null {
  if (draft.kind !== "testCase") return null;
  const isOpen = (step: StepDraft): boolean =>
    step.calledTestCaseId === null &&
    (step.expectedHtml.trim() === "" || step.descriptionHtml.trim() === "");
  if (!draft.steps.some(isOpen)) return null;
  const steps = draft.steps.map((step) =>
    !isOpen(step) ? step : {
      ...step,
      expectedHtml: step.expectedHtml.trim() === "" ? "-" : step.expectedHtml,
      descriptionHtml: step.descriptionHtml.trim() === "" ? "-" : step.descriptionHtml,
    }
  );
  return { ...draft, steps };
}

export function isNameTaken(error: RefusedError): boolean {
  return error.status === 400 && NAME_TAKEN.test(error.answer);
}

/** The next free-looking name of a row and the loss it is; null when enough were tried. */
export function nextName(
  row: TargetRow,
  sentName: string,
): { detail: TargetRow["detail"]; changes: Change[] } | null {
  const number = Number(row.detail.nameNumber ?? 1) + 1;
  if (number > MAX_NAME_NUMBER) return null;
  const kind = row.recordKind ?? row.kind;
  const before = number === 2 ? sentName : String(row.detail.originalName ?? sentName);
  const detail = { ...row.detail, nameNumber: number, originalName: before };
  const after = numberedName(before, number);
  return {
    detail,
    changes: [
      { op: "targets", rows: [{ kind: row.kind, key: row.key, state: "pending", detail }] },
      {
        op: "losses",
        phase: "load",
        kind,
        key: row.key,
        rows: [{ kind, key: row.key, field: "name", rule: "name-taken", before, after }],
      },
    ],
  };
}
