/** Datasets as JSON files: written by a running simulator, read by another. @module */
import { allAttachments, countDataset } from "./counts.ts";
import { generateDataset } from "./dataset.ts";
import { createExecutionTable } from "./execution_table.ts";
import { attachmentOwnerKey, makeAttachmentBytes } from "./files.ts";
import type {
  DatasetCounts,
  DatasetOptions,
  SimAttachment,
  SimAttachmentOwner,
  SimCase,
  SimExecution,
  SimExecutionStep,
  SimExecutionTable,
  SimScript,
  ZephyrDataset,
} from "./types.ts";

type Lists = Pick<
  ZephyrDataset,
  "projects" | "folders" | "priorities" | "statuses" | "environments" | "plans" | "cycles" | "cases"
>;

/** Everything a tenant holds, as plain JSON; bytes of files follow from seed, owner and id. */
export interface DatasetSnapshot extends Lists {
  options: Required<DatasetOptions>;
  project: { id: number };
  scripts: Record<string, SimScript>;
  executions: (SimExecution & { steps?: SimExecutionStep[] })[];
  attachments: SimAttachment[];
}

/** Writes a dataset out in full; for very large ones this is a lot of memory. */
export function snapshotDataset(dataset: ZephyrDataset): DatasetSnapshot {
  const { projects, folders, priorities, statuses, environments, plans, cycles, cases } = dataset;
  return {
    options: dataset.options,
    project: { id: dataset.project.id },
    projects,
    folders,
    priorities,
    statuses,
    environments,
    plans,
    cycles,
    cases,
    scripts: Object.fromEntries(cases.map((row) => [row.key, dataset.script(row.key)])),
    executions: Array.from(dataset.executions, (row) => ({
      ...row,
      steps: dataset.executionSteps(row),
    })),
    attachments: [...allAttachments(dataset)],
  };
}

/**
 * Reads a dataset from the JSON of a file: a snapshot, or the options of one to generate. Throws
 * TypeError for anything else.
 */
export function datasetFromJson(json: unknown): ZephyrDataset {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError("Cannot read dataset: the file holds no JSON object");
  }
  if ("cases" in json && Array.isArray(json.cases)) {
    return new FixedDataset(json as unknown as DatasetSnapshot);
  }
  const options = "options" in json ? json.options : json;
  return generateDataset({ seed: 1, ...options as Partial<DatasetOptions> });
}

class FixedDataset implements ZephyrDataset {
  readonly options: Required<DatasetOptions>;
  readonly projects: ZephyrDataset["projects"];
  readonly folders: ZephyrDataset["folders"];
  readonly priorities: ZephyrDataset["priorities"];
  readonly statuses: ZephyrDataset["statuses"];
  readonly environments: ZephyrDataset["environments"];
  readonly plans: ZephyrDataset["plans"];
  readonly cycles: ZephyrDataset["cycles"];
  readonly cases: SimCase[];
  readonly executions: SimExecutionTable;
  #projectId: number;
  #scripts: Map<string, SimScript>;
  #steps: Map<number, SimExecutionStep[]>;
  #files = new Map<string, SimAttachment[]>();

  constructor(data: DatasetSnapshot) {
    const byId = (a: { id: number }, b: { id: number }): number => a.id - b.id;
    this.options = data.options;
    this.#projectId = data.project.id;
    this.projects = data.projects;
    this.folders = data.folders.toSorted(byId);
    this.priorities = data.priorities.toSorted(byId);
    this.statuses = data.statuses.toSorted(byId);
    this.environments = data.environments.toSorted(byId);
    this.plans = data.plans.toSorted(byId);
    this.cycles = data.cycles.toSorted(byId);
    this.cases = data.cases.toSorted(byId);
    this.#scripts = new Map(Object.entries(data.scripts ?? {}));
    this.#steps = new Map(data.executions.map((row) => [row.id, row.steps ?? []]));
    const rows = data.executions.map(({ steps: _, ...row }): SimExecution => row);
    this.executions = createExecutionTable(rows.toSorted(byId));
    for (const file of data.attachments ?? []) this.addAttachment(file);
  }

  get project(): ZephyrDataset["project"] {
    const found = this.projects.find((row) => row.id === this.#projectId);
    if (found === undefined) throw new TypeError("Cannot read dataset: its project is not in it");
    return found;
  }

  caseByKey(key: string): SimCase | undefined {
    return this.cases.find((row) => row.key === key);
  }

  script(key: string): SimScript {
    return this.#scripts.get(key) ?? { id: 1, kind: "steps", text: "", steps: [] };
  }

  setScript(key: string, script: SimScript): void {
    this.#scripts.set(key, script);
  }

  executionSteps(execution: SimExecution): SimExecutionStep[] {
    return this.#steps.get(execution.id) ?? [];
  }

  attachments(owner: SimAttachmentOwner): SimAttachment[] {
    return this.#files.get(attachmentOwnerKey(owner)) ?? [];
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
