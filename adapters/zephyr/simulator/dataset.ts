/** The seeded content of a simulated tenant. @module */
import { makeCases } from "./cases.ts";
import { completeOptions, type Context, createContext } from "./context.ts";
import { countDataset } from "./counts.ts";
import { makeCyclesAndPlans } from "./cycles.ts";
import { makeExecutionSteps } from "./execution_steps.ts";
import { generateExecutions } from "./execution_table.ts";
import { attachmentOwnerKey, makeAttachmentBytes, makeAttachments } from "./files.ts";
import { makeFolders } from "./folders.ts";
import { makeLookups, makeProjects } from "./lookups.ts";
import { makeScript } from "./scripts.ts";
import type {
  DatasetCounts,
  DatasetOptions,
  SimAttachment,
  SimAttachmentOwner,
  SimCase,
  SimCycle,
  SimExecution,
  SimExecutionStep,
  SimExecutionTable,
  SimFolder,
  SimLookup,
  SimPlan,
  SimProject,
  SimScript,
  SimStatus,
  ZephyrDataset,
} from "./types.ts";

/** Generates a tenant: the same options always give the same content. */
export function generateDataset(options: DatasetOptions): ZephyrDataset {
  return new GeneratedDataset(createContext(completeOptions(options)));
}

class GeneratedDataset implements ZephyrDataset {
  readonly options: Required<DatasetOptions>;
  readonly projects: SimProject[];
  readonly folders: SimFolder[];
  readonly priorities: SimLookup[];
  readonly statuses: SimStatus[];
  readonly environments: SimLookup[];
  readonly plans: SimPlan[];
  readonly cycles: SimCycle[];
  readonly cases: SimCase[];
  readonly executions: SimExecutionTable;
  #context: Context;
  #keys = new Map<string, number>();
  #scripts = new Map<string, SimScript>();
  #files = new Map<string, SimAttachment[]>();

  constructor(context: Context) {
    this.#context = context;
    this.options = context.options;
    this.projects = makeProjects(context);
    const lookups = makeLookups(context);
    this.priorities = lookups.priorities;
    this.statuses = lookups.statuses;
    this.environments = lookups.environments;
    this.folders = makeFolders(context);
    const { cycles, plans } = makeCyclesAndPlans(context, this.folders, lookups);
    this.cycles = cycles;
    this.plans = plans;
    this.cases = makeCases(context, this.folders, lookups);
    this.executions = generateExecutions(context, this.cases, cycles, lookups);
  }

  get project(): SimProject {
    const found = this.projects.find((row) => row.id === this.#context.projectId);
    if (found === undefined) throw new RangeError("The project of interest is gone");
    return found;
  }

  /** Cases are only ever added at the end, so positions of known keys stay. */
  #caseIndex(key: string): number {
    for (let i = this.#keys.size; i < this.cases.length; i++) {
      this.#keys.set(this.cases[i]?.key ?? "", i);
    }
    return this.#keys.get(key) ?? -1;
  }

  caseByKey(key: string): SimCase | undefined {
    return this.cases[this.#caseIndex(key)];
  }

  script(key: string): SimScript {
    const kept = this.#scripts.get(key);
    if (kept !== undefined) return kept;
    const index = this.#caseIndex(key);
    const row = this.cases[index];
    if (row === undefined) return { id: 1, kind: "steps", text: "", steps: [] };
    return makeScript(this.#context, row, index);
  }

  setScript(key: string, script: SimScript): void {
    this.#scripts.set(key, script);
  }

  executionSteps(execution: SimExecution): SimExecutionStep[] {
    return makeExecutionSteps(
      {
        context: this.#context,
        statuses: this.statuses,
        script: (key) => this.script(key),
        currentVersion: (key) => this.caseByKey(key)?.versionIds.length ?? 1,
      },
      execution,
      this.executions.indexOf(execution.id),
    );
  }

  attachments(owner: SimAttachmentOwner): SimAttachment[] {
    const index = this.#position(owner);
    const made = index < 0 ? [] : makeAttachments(this.#context, owner, index);
    const kept = made.length > 0 && !this.#hasStep(owner) ? [] : made;
    return [...kept, ...(this.#files.get(attachmentOwnerKey(owner)) ?? [])];
  }

  /** Where the owner stands among its kind, or -1. */
  #position(owner: SimAttachmentOwner): number {
    const id = Number(owner.id);
    switch (owner.kind) {
      case "testCase":
      case "testStep": {
        const index = this.#caseIndex(owner.id);
        return this.cases[index]?.archived ? -1 : index;
      }
      case "testCycle":
        return this.cycles.findIndex((row) => row.id === id);
      case "testPlan":
        return this.plans.findIndex((row) => row.id === id);
      default:
        return this.executions.indexOf(id);
    }
  }

  #hasStep(owner: SimAttachmentOwner): boolean {
    if (owner.stepId === undefined) return true;
    const steps = owner.kind === "testStep"
      ? this.script(owner.id).steps
      : this.executionSteps(this.executions.at(this.executions.indexOf(Number(owner.id))));
    return steps.some((row) => row.id === owner.stepId);
  }

  addAttachment(attachment: SimAttachment): void {
    const key = attachmentOwnerKey(attachment.owner);
    this.#files.set(key, [...(this.#files.get(key) ?? []), attachment]);
  }

  attachmentBytes(attachment: SimAttachment): Uint8Array<ArrayBuffer> {
    return makeAttachmentBytes(this.options.seed, attachment);
  }

  counts(): DatasetCounts {
    return countDataset(this);
  }
}
