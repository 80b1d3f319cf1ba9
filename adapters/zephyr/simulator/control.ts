/** Changes to a running simulator's content: what people do while a migration runs. @module */
import type { SimulatorState } from "./state.ts";
import type {
  SimAttachment,
  SimAttachmentOwner,
  SimCase,
  SimExecution,
  SimFolder,
  SimStep,
} from "./types.ts";

/** Every change is visible to the next request and moves `updatedAfter`'s mark. */
export interface ZephyrControl {
  /** Adds a case at the end: a copy of the first listed one with a new id, key and no files. */
  insertCase(patch?: Partial<SimCase>): SimCase;
  /** Changes a case; throws RangeError for an unknown key. */
  updateCase(key: string, patch: Partial<SimCase>): SimCase;
  /** The case is no longer listed or readable. */
  archiveCase(key: string): void;
  /** Replaces the steps of a step-by-step case. */
  replaceSteps(key: string, steps: Partial<SimStep>[]): void;
  /** Adds an execution at the end: a copy of the first one with a new id and key. */
  insertExecution(patch?: Partial<SimExecution>): SimExecution;
  updateExecution(id: number, patch: Partial<SimExecution>): SimExecution;
  deleteExecution(id: number): void;
  updateFolder(id: number, patch: Partial<SimFolder>): void;
  /** Adds a file of the given size with bytes of its own. */
  addAttachment(owner: SimAttachmentOwner, name: string, size: number): SimAttachment;
}

const NEW_FILE_ID = 9_000_000_000;
const NEW_STEP_ID = 9_500_000_000;

/** Creates the handle that changes `state`. */
export function createControl(state: SimulatorState): ZephyrControl {
  const { dataset, settings } = state;
  let made = 0;
  const known = (key: string): SimCase => {
    const row = dataset.caseByKey(key);
    if (row === undefined) throw new RangeError(`Cannot change case "${key}": there is none`);
    return row;
  };
  const position = (id: number): number => {
    const at = dataset.executions.indexOf(id);
    if (at < 0) throw new RangeError(`Cannot change execution "${id}": there is none`);
    return at;
  };
  const stamp = <T>(change: () => T): T => {
    const result = change();
    state.touch();
    return result;
  };
  const bumpOwner = (key: string): void => {
    const row = dataset.caseByKey(key);
    if (settings.stepEditsBump && row !== undefined) row.updatedAt = settings.now();
  };
  return {
    insertCase: (patch = {}) => stamp(() => insertCase(state, patch)),
    updateCase: (key, patch) =>
      stamp(() => Object.assign(known(key), { updatedAt: settings.now(), ...patch })),
    archiveCase: (key) => stamp(() => void Object.assign(known(key), { archived: true })),
    replaceSteps: (key, steps) =>
      stamp(() => {
        const rows = steps.map((step): SimStep => ({
          id: NEW_STEP_ID + made++,
          description: null,
          testData: null,
          expectedResult: null,
          customFields: {},
          call: null,
          ...step,
        }));
        dataset.setScript(key, { ...dataset.script(known(key).key), kind: "steps", steps: rows });
        bumpOwner(key);
      }),
    insertExecution: (patch = {}) => stamp(() => insertExecution(state, patch)),
    updateExecution: (id, patch) =>
      stamp(() => {
        const at = position(id);
        const row = { ...dataset.executions.at(at), updatedAt: settings.now(), ...patch };
        dataset.executions.replace(at, row);
        return row;
      }),
    deleteExecution: (id) => stamp(() => void state.deletedExecutions.add(id)),
    updateFolder: (id, patch) =>
      stamp(() => {
        const row = dataset.folders.find((folder) => folder.id === id);
        if (row === undefined) throw new RangeError(`Cannot change folder "${id}": there is none`);
        Object.assign(row, patch);
      }),
    addAttachment: (owner, name, size) =>
      stamp(() => {
        const file = { id: NEW_FILE_ID + made++, name, size, owner };
        dataset.addAttachment(file);
        bumpOwner(owner.id);
        return file;
      }),
  };
}

function insertCase(state: SimulatorState, patch: Partial<SimCase>): SimCase {
  const { dataset, settings } = state;
  const { cases, project } = dataset;
  const model = cases.find((row) => row.projectId === project.id && !row.archived);
  if (model === undefined) throw new RangeError("Cannot insert a case: there is none to copy");
  const highest = cases.reduce((most, row) => Math.max(most, row.id), 0);
  const numbers = cases.filter((row) => row.projectId === project.id)
    .map((row) => Number(row.key.slice(row.key.lastIndexOf("T") + 1)));
  const id = highest + 2;
  const row: SimCase = {
    ...structuredClone(model),
    id,
    versionIds: [id],
    key: `${project.key}-T${Math.max(...numbers) + 1}`,
    name: `Inserted ${id}`,
    issues: [],
    webLinks: [],
    updatedAt: settings.now(),
    ...patch,
  };
  cases.push(row);
  return row;
}

function insertExecution(state: SimulatorState, patch: Partial<SimExecution>): SimExecution {
  const { executions, project } = state.dataset;
  const model = executions.at(0);
  const row: SimExecution = {
    ...structuredClone(model),
    id: executions.idAt(executions.length - 1) + 2,
    key: `${project.key}-E${executions.length + 1}`,
    issues: [],
    updatedAt: state.settings.now(),
    ...patch,
  };
  executions.push(row);
  return row;
}
