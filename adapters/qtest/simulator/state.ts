/**
 * The tenant in memory: objects by kind and id, children by parent, ids and labels.
 * @module
 */
import { createRandom, type Random } from "../../simulator_kit/mod.ts";
import { createDateWriter } from "./dates.ts";
import type { QtestSwitches } from "./switches.ts";
import type {
  Attachment,
  Base,
  BuildEntity,
  Comment,
  ContainerType,
  DefectEntity,
  Entity,
  Field,
  Job,
  Kind,
  ModuleEntity,
  ReleaseEntity,
  RequirementEntity,
  Status,
  TestCaseEntity,
  TestCycleEntity,
  TestLogEntity,
  TestRunEntity,
  TestSuiteEntity,
  User,
} from "./types.ts";

export interface EntityOf {
  modules: ModuleEntity;
  releases: ReleaseEntity;
  builds: BuildEntity;
  requirements: RequirementEntity;
  "test-cases": TestCaseEntity;
  "test-cycles": TestCycleEntity;
  "test-suites": TestSuiteEntity;
  "test-runs": TestRunEntity;
  "test-logs": TestLogEntity;
  defects: DefectEntity;
}

const PREFIXES: Record<Kind, string> = {
  modules: "MD-",
  releases: "RL-",
  builds: "BL-",
  requirements: "RQ-",
  "test-cases": "TC-",
  "test-cycles": "CL-",
  "test-suites": "TS-",
  "test-runs": "TR-",
  "test-logs": "",
  defects: "DF-",
};
/** Every kind of object, in the order of the design and execution trees. */
export const KINDS = Object.keys(PREFIXES) as Kind[];

export interface StateOptions {
  siteUrl: string;
  projectId: number;
  projectName: string;
  switches: QtestSwitches;
  seed: number;
  now: () => number;
}

export class QtestState {
  readonly siteUrl: string;
  readonly projectId: number;
  readonly projectName: string;
  switches: QtestSwitches;
  readonly now: () => number;
  readonly writeDate: (instantMs: number) => string;
  readonly users: User[] = [];
  readonly statuses: Status[] = [];
  readonly fields = new Map<number, Field>();
  readonly attachments = new Map<number, Attachment>();
  readonly comments = new Map<number, Comment>();
  readonly jobs = new Map<number, Job>();
  /** Parameters by identifier. */
  readonly parameters = new Map<string, number>();
  /** Owner of each design step, and of each step log. */
  readonly caseOfStep = new Map<number, number>();
  readonly logOfStepLog = new Map<number, number>();
  /** Grows with every change; search results stay valid while it does not. */
  revision = 0;
  readonly #random: Random;
  readonly #entities: { [K in Kind]: Map<number, EntityOf[K]> };
  readonly #children = new Map<string, Set<number>>();
  readonly #pids = new Map<string, number>();
  readonly #lastPid = new Map<Kind, number>();
  readonly #attachmentsOf = new Map<string, Set<number>>();
  readonly #commentsOf = new Map<string, Set<number>>();
  readonly #links = new Map<string, Set<string>>();
  readonly #runsOfCase = new Map<number, Set<number>>();
  readonly #caseOfContent = new Map<string, number>();
  readonly #fieldLists = new Map<string, Field[]>();
  #pendingJobs: Job[] = [];
  #lastId: number;

  constructor(options: StateOptions) {
    this.siteUrl = options.siteUrl;
    this.projectId = options.projectId;
    this.projectName = options.projectName;
    this.switches = options.switches;
    this.now = options.now;
    this.writeDate = createDateWriter(options.switches.siteOffset);
    this.#random = createRandom(options.seed);
    this.#lastId = 20_000_000 + this.#random.int(0, 1_000_000);
    this.#entities = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as never;
  }

  /** Next site-wide id; ids are not contiguous. */
  nextId(): number {
    this.#lastId += this.#random.int(1, 7);
    return this.#lastId;
  }

  table<K extends Kind>(kind: K): ReadonlyMap<number, EntityOf[K]> {
    return this.#entities[kind] as ReadonlyMap<number, EntityOf[K]>;
  }
  get<K extends Kind>(kind: K, id: number): EntityOf[K] | undefined {
    return this.#entities[kind].get(id) as EntityOf[K] | undefined;
  }
  /** Looks an object up by id or by label (`TC-12`). */
  find<K extends Kind>(kind: K, idOrPid: string | number): EntityOf[K] | undefined {
    const text = String(idOrPid);
    const id = /^\d+$/.test(text) ? Number(text) : this.#pids.get(`${kind} ${text.toUpperCase()}`);
    return id === undefined ? undefined : this.get(kind, id);
  }

  /** Common members of a new object. */
  base(kind: Kind, userId: number, name: string): Base {
    const number = (this.#lastPid.get(kind) ?? 0) + 1;
    this.#lastPid.set(kind, number);
    const at = this.now();
    return {
      id: this.nextId(),
      pid: PREFIXES[kind] === "" ? "" : `${PREFIXES[kind]}${number}`,
      name,
      order: 0,
      createdAt: at,
      modifiedAt: at,
      creatorId: userId,
    };
  }

  add(entity: Entity): void {
    this.revision++;
    (this.#entities[entity.kind] as Map<number, Entity>).set(entity.id, entity);
    if (entity.pid !== "") this.#pids.set(`${entity.kind} ${entity.pid}`, entity.id);
    const siblings = this.#childSet(parentKey(entity));
    siblings.add(entity.id);
    if (entity.order === 0) entity.order = siblings.size;
    if (entity.kind === "test-runs") {
      const runs = this.#runsOfCase.get(entity.testCaseId) ?? new Set();
      this.#runsOfCase.set(entity.testCaseId, runs.add(entity.id));
    }
  }

  /** Puts an object below another parent. */
  move(entity: Entity, change: () => void): void {
    this.#children.get(parentKey(entity))?.delete(entity.id);
    change();
    const siblings = this.#childSet(parentKey(entity));
    siblings.add(entity.id);
    entity.order = siblings.size;
    this.touch(entity);
  }

  touch(entity: Entity): void {
    this.revision++;
    entity.modifiedAt = this.now();
  }

  remove(entity: Entity): void {
    this.revision++;
    (this.#entities[entity.kind] as Map<number, Entity>).delete(entity.id);
    this.#pids.delete(`${entity.kind} ${entity.pid}`);
    this.#children.get(parentKey(entity))?.delete(entity.id);
    this.#dropBelongings(entity.kind, entity.id);
    if (entity.kind === "test-runs") this.#runsOfCase.get(entity.testCaseId)?.delete(entity.id);
    if (entity.kind === "test-cases") this.#forgetCase(entity);
    if (entity.kind === "test-logs") {
      for (const step of entity.stepLogs) {
        this.logOfStepLog.delete(step.id);
        this.#dropBelongings("test-step-logs", step.id);
      }
    }
  }

  #forgetCase(entity: TestCaseEntity): void {
    for (const value of entity.properties.values()) {
      if (typeof value === "string" && this.#caseOfContent.get(value) === entity.id) {
        this.#caseOfContent.delete(value);
      }
    }
    for (const version of entity.versions) {
      for (const step of version.steps) {
        this.caseOfStep.delete(step.id);
        this.#dropBelongings("test-steps", step.id);
      }
    }
  }

  #dropBelongings(objectType: string, id: number): void {
    const key = `${objectType} ${id}`;
    for (const attachment of this.#attachmentsOf.get(key) ?? []) {
      this.attachments.delete(attachment);
    }
    for (const comment of this.#commentsOf.get(key) ?? []) this.comments.delete(comment);
    for (const other of this.#links.get(key) ?? []) this.#links.get(other)?.delete(key);
    this.#attachmentsOf.delete(key);
    this.#commentsOf.delete(key);
    this.#links.delete(key);
  }

  #childSet(key: string): Set<number> {
    let set = this.#children.get(key);
    if (set === undefined) this.#children.set(key, set = new Set());
    return set;
  }

  /** Direct children of one kind, in order of creation. */
  children<K extends Kind>(kind: K, parentType: string, parentId: number): EntityOf[K][] {
    const ids = this.#children.get(`${kind} ${parentType} ${parentId}`);
    if (ids === undefined) return [];
    const table = this.#entities[kind] as Map<number, EntityOf[K]>;
    return Array.from(ids, (id) => table.get(id) as EntityOf[K]);
  }
  runsOfCase(caseId: number): TestRunEntity[] {
    return Array.from(this.#runsOfCase.get(caseId) ?? [], (id) => this.get("test-runs", id))
      .filter((run) => run !== undefined);
  }
  caseOfContent(content: string): TestCaseEntity | undefined {
    const id = this.#caseOfContent.get(content);
    return id === undefined ? undefined : this.get("test-cases", id);
  }
  setContent(content: string, caseId: number): void {
    if (content !== "" && !this.#caseOfContent.has(content)) {
      this.#caseOfContent.set(content, caseId);
    }
  }

  addAttachment(attachment: Attachment): void {
    this.attachments.set(attachment.id, attachment);
    const key = `${attachment.objectType} ${attachment.objectId}`;
    const set = this.#attachmentsOf.get(key) ?? new Set();
    this.#attachmentsOf.set(key, set.add(attachment.id));
  }
  removeAttachment(attachment: Attachment): void {
    this.attachments.delete(attachment.id);
    this.#attachmentsOf.get(`${attachment.objectType} ${attachment.objectId}`)
      ?.delete(attachment.id);
  }
  attachmentsOf(objectType: string, objectId: number): Attachment[] {
    return Array.from(
      this.#attachmentsOf.get(`${objectType} ${objectId}`) ?? [],
      (id) => this.attachments.get(id),
    ).filter((item) => item !== undefined);
  }

  addComment(comment: Comment): void {
    this.comments.set(comment.id, comment);
    const key = `${comment.objectType} ${comment.objectId}`;
    this.#commentsOf.set(key, (this.#commentsOf.get(key) ?? new Set()).add(comment.id));
  }
  removeComment(comment: Comment): void {
    this.comments.delete(comment.id);
    this.#commentsOf.get(`${comment.objectType} ${comment.objectId}`)?.delete(comment.id);
  }
  commentsOf(objectType: string, objectId: number): Comment[] {
    return Array.from(
      this.#commentsOf.get(`${objectType} ${objectId}`) ?? [],
      (id) => this.comments.get(id),
    ).filter((item) => item !== undefined);
  }

  /** Links are symmetric sets of `type id`. */
  link(a: string, b: string): void {
    this.#links.set(a, (this.#links.get(a) ?? new Set()).add(b));
    this.#links.set(b, (this.#links.get(b) ?? new Set()).add(a));
  }
  unlink(a: string, b: string): void {
    this.#links.get(a)?.delete(b);
    this.#links.get(b)?.delete(a);
  }
  linksOf(key: string): string[] {
    return [...(this.#links.get(key) ?? [])];
  }

  /** Queues a bulk job; jobs end one after another. */
  addJob(apply: () => string, delayMs: number): Job {
    const at = this.now();
    const last = this.#pendingJobs.at(-1)?.dueAt ?? at;
    const job: Job = {
      id: this.nextId(),
      acceptedAt: at,
      dueAt: Math.max(at, last) + delayMs,
      state: "IN_WAITING",
      content: "",
      apply,
    };
    this.jobs.set(job.id, job);
    this.#pendingJobs.push(job);
    return job;
  }
  /** Ends every job whose time has come; called before each request is answered. */
  settleJobs(): void {
    const at = this.now();
    while (this.#pendingJobs.length > 0 && (this.#pendingJobs[0]?.dueAt ?? 0) <= at) {
      const job = this.#pendingJobs.shift();
      if (job !== undefined) endJob(job);
    }
    const next = this.#pendingJobs[0];
    if (next !== undefined && at - next.acceptedAt > (next.dueAt - next.acceptedAt) / 3) {
      next.state = "IN_PROCESSING";
    }
  }

  /** Fields of an object type in order; kept until {@linkcode fieldsChanged}. */
  fieldsOf(objectType: string, includeInactive = false): readonly Field[] {
    const key = `${objectType} ${includeInactive}`;
    let list = this.#fieldLists.get(key);
    if (list === undefined) {
      list = [...this.fields.values()].filter((field) =>
        field.objectType === objectType && (includeInactive || field.isActive)
      );
      this.#fieldLists.set(key, list);
    }
    return list;
  }
  fieldsChanged(): void {
    this.revision++;
    this.#fieldLists.clear();
  }
  fieldByName(objectType: string, originalName: string): Field | undefined {
    return this.fieldsOf(objectType, true).find((field) => field.originalName === originalName);
  }
  /** Id of a parameter; made when it does not exist. */
  parameterId(identifier: string): number {
    const known = this.parameters.get(identifier);
    if (known !== undefined) return known;
    const id = this.nextId();
    this.parameters.set(identifier, id);
    return id;
  }
}

function endJob(job: Job): void {
  try {
    job.content = job.apply?.() ?? "{}";
    job.state = "SUCCESS";
  } catch (error) {
    job.content = JSON.stringify({ message: error instanceof Error ? error.message : "failed" });
    job.state = "FAILED";
  }
  job.apply = null;
}

function parentKey(entity: Entity): string {
  switch (entity.kind) {
    case "modules":
    case "requirements":
    case "test-cases":
      return `${entity.kind} module ${entity.parentId}`;
    case "test-cycles":
    case "test-suites":
    case "test-runs":
      return `${entity.kind} ${entity.parentType} ${entity.parentId}`;
    case "test-logs":
      return `test-logs test-run ${entity.runId}`;
    case "builds":
      return `builds release ${entity.releaseId}`;
    default:
      return `${entity.kind} root 0`;
  }
}

/** Kind of the objects a container type stands for; null for the root. */
export function containerKind(
  type: ContainerType,
): "releases" | "test-cycles" | "test-suites" | null {
  if (type === "root") return null;
  return type === "release" ? "releases" : type === "test-cycle" ? "test-cycles" : "test-suites";
}
