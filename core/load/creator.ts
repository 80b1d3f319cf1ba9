/**
 * One create from intent to outcome.
 *
 * A row goes `pending → sending → loaded`. `sending` is committed after a slot was granted and
 * immediately before the request leaves, so a crash leaves either "certainly not sent" or "look it
 * up". Unknown outcomes become `inDoubt` and are never sent again on suspicion.
 * @module
 */
import type { Change, Created, DraftKind, TargetRow } from "../ports/mod.ts";
import { InDoubtError, RefusedError, SetAsideError, StopError } from "../errors.ts";
import type { RunContext } from "../engine/stage.ts";
import { EMPTY_REFUSED_NOTE, forgetTransform } from "../transform/stages/context.ts";
import type { InlineKind } from "./inline_files.ts";
import { inlineNote } from "./inline_files.ts";
import type { Prepared } from "./prepare.ts";
import { prepare } from "./prepare.ts";
import { adopt, findByMarker } from "./reconcile.ts";
import { EqualRefusals, filesOnTheirOwn, isNameTaken, nextName, withDashes } from "./refusals.ts";
import { setAsideRow } from "./set_aside.ts";
import { noteSent } from "./settling.ts";
import type { Entry } from "./window.ts";

/** A prepared row that can be sent now. */
export type Ready = Extract<Prepared, { state: "ready" }>;

/** Who wants to know how a create ended. */
export interface CreatorListener {
  /** The row is loaded or set aside. */
  ended: (entry: Entry) => void;
  /** The outcome is unknown. */
  doubted: (row: TargetRow) => void;
}

export class Creator {
  readonly #ctx: RunContext;
  readonly #kind: DraftKind;
  readonly #listener: CreatorListener;
  readonly #refusals: EqualRefusals;

  constructor(ctx: RunContext, kind: DraftKind, listener: CreatorListener) {
    this.#ctx = ctx;
    this.#kind = kind;
    this.#listener = listener;
    this.#refusals = new EqualRefusals(kind);
  }

  /** Sends a row once. Throws what ends the stage; everything else becomes a state of the row. */
  async send(entry: Entry, ready: Ready): Promise<void> {
    const { row } = entry;
    let intended = false;
    const intent = async (): Promise<void> => {
      this.#ctx.assertMayWrite();
      if (!intended) row.attempt++;
      intended = true;
      await this.#keepIntent(entry, ready);
    };
    let created: Created;
    try {
      created = await this.#ctx.target.create(ready.draft, { signal: this.#ctx.signal, intent });
    } catch (error) {
      return await this.#failed(entry, ready, error, intended);
    }
    // When this cannot be kept the row stays "sending": it is there, and the next start finds it.
    await this.#loaded(entry, ready, created);
  }

  /** The dashes helped: they are how all further cases are sent, and what is compared later. */
  async keepDashes(row: TargetRow): Promise<void> {
    await this.#ctx.commit([this.#ctx.noteChange(EMPTY_REFUSED_NOTE, true)]);
    forgetTransform(this.#ctx);
    const again = (await prepare(this.#ctx, "testCase", [row])).get(row.key);
    if (again?.state === "ready" && again.losses !== null) {
      await this.#ctx.commit(lossesOf(row, again));
    }
  }

  async #keepIntent({ row, dashed }: Entry, ready: Ready): Promise<void> {
    noteSent(this.#ctx, row);
    row.state = "sending";
    await this.#ctx.commit([
      {
        op: "targets",
        rows: [{
          kind: row.kind,
          key: row.key,
          state: "sending",
          attempt: row.attempt,
          sentAt: row.sentAt,
          payloadHash: ready.hash,
          ...(row.kind === "testCase" ? { detail: { dashed: dashed || null } } : {}),
        }],
      },
      ...inlineIntent(ready),
      ...lossesOf(row, ready),
    ]);
    // The commit may have taken long enough for another owner to step in.
    this.#ctx.assertStillHeld();
  }

  async #loaded(entry: Entry, ready: Ready, created: Created): Promise<void> {
    const { row } = entry;
    const changes: Change[] = [{
      op: "targets",
      rows: [{
        kind: row.kind,
        key: row.key,
        state: "loaded",
        targetId: created.id,
        origin: "created",
        runId: this.#ctx.run.id,
        lastError: null,
        detail: {
          pid: created.pid,
          webUrl: created.webUrl,
          versionId: created.versionId,
          stepIds: created.stepIds,
        },
      }],
    }, ...await this.#confirmInline(ready, created)];
    // Kept together: without the note the comparison would look for empty texts.
    if (entry.dashed) changes.push(this.#ctx.noteChange(EMPTY_REFUSED_NOTE, true));
    if (row.lastError !== null) {
      changes.push({ op: "clearIssues", phase: "load", kind: row.kind, key: row.key });
    }
    await this.#ctx.commit(changes);
    this.#refusals.forget();
    this.#listener.ended(entry);
  }

  /** Files that the answer names are done; what it does not name is looked up by the upload stage. */
  async #confirmInline(ready: Ready, created: Created): Promise<Change[]> {
    if (ready.inline.length === 0 || created.attachments === null) return [];
    const draft = ready.draft;
    if (draft.kind !== "testCase" && draft.kind !== "testLog") return [];
    const byName = new Map(created.attachments.map((file) => [file.name, file.id]));
    const rows = ready.inline.flatMap((key, index) => {
      const id = byName.get(draft.attachments[index]?.name ?? "");
      return id === undefined ? [] : [{
        kind: "attachment" as const,
        key,
        state: "loaded" as const,
        targetId: id,
        origin: "created" as const,
        runId: this.#ctx.run.id,
      }];
    });
    const note = inlineNote(draft.kind as InlineKind);
    if (rows.length === 0) return [];
    const known = await this.#ctx.note<boolean>(note);
    return [{ op: "targets", rows }, ...(known === null ? [this.#ctx.noteChange(note, true)] : [])];
  }

  async #failed(entry: Entry, ready: Ready, error: unknown, intended: boolean): Promise<void> {
    const { row } = entry;
    if (error instanceof InDoubtError) return await this.#doubted(entry, error);
    if (error instanceof RefusedError) return await this.#refused(entry, ready, error);
    if (error instanceof SetAsideError) {
      await setAsideRow(this.#ctx, row, error.reason, error.message, payloadText(ready.draft));
      return this.#listener.ended(entry);
    }
    if (intended && !(error instanceof StopError)) throw error;
    // Nothing left this process, or the vendor said it did nothing: the row is open again.
    if (row.state === "sending" && error instanceof StopError) {
      await this.#reopen(row).catch(() => {
        // The store is gone or the lease is lost: the next start looks the row up instead.
      });
    }
    throw error;
  }

  async #doubted(entry: Entry, error: InDoubtError): Promise<void> {
    const { row } = entry;
    row.state = "inDoubt";
    row.everInDoubt = true;
    row.lastError = error.message;
    const doubts = Number(row.detail.doubts ?? 0) + (error.answered ? 1 : 0);
    row.detail = { ...row.detail, doubts };
    await this.#ctx.commit([{
      op: "targets",
      rows: [{
        kind: row.kind,
        key: row.key,
        state: "inDoubt",
        everInDoubt: true,
        lastError: error.message,
        detail: { doubts },
      }],
    }]);
    entry.state = "doubt";
    this.#listener.doubted(row);
  }

  async #reopen(row: TargetRow): Promise<void> {
    await this.#ctx.commit([{
      op: "targets",
      rows: [{ kind: row.kind, key: row.key, state: "pending" }],
    }]);
    row.state = "pending";
  }

  async #refused(entry: Entry, ready: Ready, error: RefusedError): Promise<void> {
    const { row } = entry;
    if (error.status === 413 && ready.inline.length > 0) {
      return await this.#sendWithoutFiles(entry, ready);
    }
    if (await this.#sendWithoutEmptyTexts(entry, ready)) return;
    if (isNameTaken(error) && await this.#takeAnotherName(entry, ready)) return;
    // Sites refuse some files (programs, by default); that must not cost the record.
    if (ready.inline.length > 0) return await this.#sendWithoutFiles(entry, ready);
    this.#refusals.count(error);
    await setAsideRow(this.#ctx, row, "refused", error.message, payloadText(ready.draft));
    this.#listener.ended(entry);
    this.#refusals.assertPlausible(error);
  }

  /** Its files follow on their own, so that each of them is taken or refused for itself. */
  async #sendWithoutFiles(entry: Entry, ready: Ready): Promise<void> {
    await this.#ctx.commit(filesOnTheirOwn(entry.row, ready.inline));
    sendAgain(entry);
  }

  /**
   * Some tenants refuse a step without expected result. The refused case is sent once more with a
   * dash in place of each empty text; when that helps, it is how all further cases are sent.
   */
  async #sendWithoutEmptyTexts(entry: Entry, ready: Ready): Promise<boolean> {
    const draft = entry.dashed ? null : withDashes(ready.draft);
    if (draft === null) return false;
    entry.dashed = true;
    entry.row.detail = { ...entry.row.detail, dashed: true };
    await this.send(entry, { ...ready, draft });
    if (await this.#isLoaded(entry.row)) await this.keepDashes(entry.row);
    return true;
  }

  /** A tenant that wants sibling names unique: the later one gets a number, as people would do it. */
  async #takeAnotherName(entry: Entry, ready: Ready): Promise<boolean> {
    if (!("name" in ready.draft)) return false;
    if (await this.#isTakenByItself(entry)) return true;
    const next = nextName(entry.row, ready.draft.name);
    if (next === null) return false;
    entry.row.detail = next.detail;
    await this.#ctx.commit(next.changes);
    sendAgain(entry);
    return true;
  }

  /** A name may be taken by what was sent earlier and landed after all waiting. */
  async #isTakenByItself(entry: Entry): Promise<boolean> {
    const { row } = entry;
    if (row.attempt < 2) return false;
    const [found] = (await findByMarker(this.#ctx, this.#kind, [row])).get(row.key) ?? [];
    if (found === undefined) return false;
    await adopt(this.#ctx, row, found);
    this.#listener.ended(entry);
    return true;
  }

  async #isLoaded(row: TargetRow): Promise<boolean> {
    const rows = await this.#ctx.store.targetsByKey(this.#ctx.scope.id, row.kind, [row.key]);
    return rows.get(row.key)?.state === "loaded";
  }
}

/** The entry is ready to be prepared and sent once more; what is prepared has its empty texts again. */
export function sendAgain(entry: Entry): void {
  entry.row.state = "pending";
  entry.row.detail = { ...entry.row.detail, dashed: false };
  entry.dashed = false;
  entry.state = "idle";
}

/** Inline files may arrive with their parent whatever the answer says: they are looked up, not resent. */
function inlineIntent(ready: Ready): Change[] {
  if (ready.inline.length === 0) return [];
  return [{
    op: "targets",
    rows: ready.inline.map((key) => ({ kind: "attachment", key, detail: { inlined: true } })),
  }];
}

/** The draft as people may read it; file bytes stay out. */
function payloadText(draft: Ready["draft"]): string {
  return JSON.stringify(draft, (key, value) => key === "bytes" ? undefined : value);
}

/** Losses of what is sent, kept with its hash: after a lost answer nobody would tell them. */
export function lossesOf(row: TargetRow, ready: Ready): Change[] {
  if (ready.losses === null) return [];
  const { kind, rows } = ready.losses;
  return [{ op: "losses", phase: "transform", kind, key: row.key, rows }];
}
