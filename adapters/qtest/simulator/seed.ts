/**
 * What a fresh tenant holds: users, statuses, system fields, requirements.
 * @module
 */
import { addField } from "./fields.ts";
import type { QtestState } from "./state.ts";
import type { User } from "./types.ts";

/** Content a simulator starts with, beside its defaults. */
export interface QtestData {
  requirements?: { name: string; externalId: string }[];
  users?: {
    username: string;
    firstName: string;
    lastName: string;
    email?: string;
    active?: boolean;
  }[];
  fields?: {
    objectType: string;
    label: string;
    dataType: number;
    options?: string[];
    required?: boolean;
    defaultValue?: string;
    searchable?: boolean;
  }[];
  /** Names of releases that are closed. */
  closedReleases?: string[];
}

const DEFAULT_REQUIREMENTS = [
  { name: "Login with two factors", externalId: "SA-101" },
  { name: "Checkout", externalId: "SA-102" },
  { name: "Order history", externalId: "SA-103" },
  { name: "Password reset", externalId: "SA-104" },
];

/** Fills a fresh state; the first user is the token's. */
export function seedState(state: QtestState, username: string, data: QtestData = {}): User {
  const add = (
    name: string,
    firstName: string,
    lastName: string,
    active = true,
    email?: string,
  ): User => {
    const user: User = {
      id: state.nextId(),
      username: name,
      firstName,
      lastName,
      email: email ?? (name.includes("@") ? name : `${name}@example.com`),
      active,
    };
    state.users.push(user);
    return user;
  };
  const owner = add(username, "Migration", "Account");
  add("jane.doe@example.com", "Jane", "Doe");
  add("john.roe@example.com", "John", "Roe");
  add("gone.user@example.com", "Gone", "User", false);
  for (const user of data.users ?? []) {
    add(user.username, user.firstName, user.lastName, user.active ?? true, user.email);
  }
  seedStatuses(state);
  seedSystemFields(state);
  seedCustomFields(state, data);
  for (const { name, externalId } of data.requirements ?? DEFAULT_REQUIREMENTS) {
    state.add({
      ...state.base("requirements", owner.id, name),
      kind: "requirements",
      parentId: 0,
      externalId,
      properties: new Map(),
    });
  }
  for (const name of data.closedReleases ?? ["Closed release"]) {
    state.add({
      ...state.base("releases", owner.id, name),
      kind: "releases",
      description: "",
      note: "",
      startAt: null,
      endAt: null,
      closed: true,
      properties: new Map(),
    });
  }
  return owner;
}

function seedStatuses(state: QtestState): void {
  const unusual = state.switches.unusualStatusIds;
  const rows: [number, string, string][] = [
    [601, "Passed", "#6ECE3A"],
    [602, "Failed", "#C8322B"],
    [unusual ? 604 : 603, "Incomplete", "#F6BB42"],
    [unusual ? 603 : 604, "Blocked", "#838282"],
    [605, "Unexecuted", "#C9E7F2"],
  ];
  if (unusual) rows.push([8401, "Passed with remarks", "#A0D080"], [8402, "Retired", "#000000"]);
  for (const [id, name, color] of rows) {
    const active = name !== "Retired";
    state.statuses.push({ id, name, isDefault: name === "Unexecuted", color, active });
  }
}

function seedSystemFields(state: QtestState): void {
  let id = -1;
  const system = (
    objectType: string,
    label: string,
    dataType: number,
    originalName: string,
    more: { id?: number; options?: string[]; firstValue?: number; required?: boolean } = {},
  ): void => {
    const field = addField(state, {
      objectType,
      label,
      dataType,
      originalName,
      ...more,
      id: more.id ?? id--,
    });
    const first = field.options[0];
    if (first !== undefined && more.required === true) {
      first.isDefault = true;
      field.defaultValue = String(first.value);
    }
  };
  seedCaseFields(system);
  seedExecutionFields(state, system);
  system("releases", "Note", 13, "NoteRelease", { id: -121 });
  system("releases", "Start Date", 4, "StartDateRelease", { id: -123 });
  system("releases", "End Date", 4, "EndDateRelease", { id: -124 });
  const releaseStates = ["Open", "In Progress", "Closed"];
  system("releases", "Status", 3, "StatusRelease", {
    id: -125,
    options: releaseStates,
    firstValue: 51,
  });
  system("builds", "Status", 3, "StatusBuild", { options: ["Open", "Closed"], firstValue: 61 });
  system("requirements", "Status", 3, "StatusRequirement", { options: ["New"], firstValue: 71 });
  system("requirements", "Priority", 3, "PriorityRequirement", {
    options: ["Undecided", "Low", "Medium", "High", "Urgent"],
    firstValue: 11401,
  });
}

type AddSystemField = (
  objectType: string,
  label: string,
  dataType: number,
  originalName: string,
  more?: { id?: number; options?: string[]; firstValue?: number; required?: boolean },
) => void;

function seedCaseFields(system: AddSystemField): void {
  const of = "test-cases";
  const states = ["New", "In Progress", "Ready For Baseline", "Completed"];
  const types = ["Manual", "Automation", "Performance", "Scenario"];
  const priorities = ["Undecided", "Low", "Medium", "High", "Urgent"];
  system(of, "Status", 3, "StatusTestCase", { options: states, firstValue: 201, required: true });
  system(of, "Type", 3, "TypeTestCase", { options: types, firstValue: 701, required: true });
  system(of, "Priority", 3, "PriorityTestCase", {
    options: priorities,
    firstValue: 721,
    required: true,
  });
  system(of, "Assigned To", 5, "AssignedToTestCase");
  system(of, "Automation", 3, "AutomationTestCase", {
    options: ["No", "Yes"],
    firstValue: 711,
    required: true,
  });
  system(of, "Automation Content", 1, "AutomationContentTestCase");
}

function seedExecutionFields(state: QtestState, system: AddSystemField): void {
  const environments = ["Chrome", "Firefox", "Staging"];
  const execution = ["Functional", "Regression"];
  system("test-suites", "Planned Start Date", 4, "PlannedStartDateTestSuite", { id: -67 });
  system("test-suites", "Planned End Date", 4, "PlannedEndDateTestSuite", { id: -69 });
  system("test-suites", "Assigned To", 5, "AssignedToTestSuite", { id: -70 });
  system("test-suites", "Execution Type", 3, "ExecutionTypeTestSuite", {
    id: -71,
    options: execution,
    firstValue: 801,
  });
  system("test-suites", "Environment", 3, "EnvironmentTestSuite", {
    id: -72,
    options: environments,
    firstValue: 811,
  });
  const own = state.switches.runStatusValues === "own";
  addField(state, {
    id: -80,
    objectType: "test-runs",
    label: "Status",
    dataType: 3,
    originalName: "StatusTestRun",
    options: [],
  });
  const field = state.fields.get(-80);
  for (const status of state.statuses) {
    field?.options.push({
      value: own ? 90_000 + status.id : status.id,
      label: status.name,
      order: field.options.length + 1,
      isDefault: status.isDefault,
      isActive: status.active,
      color: status.color,
    });
  }
  system("test-runs", "Assigned To", 5, "AssignedToTestRun", { id: -81 });
  system("test-runs", "Planned Start Date", 4, "PlannedStartDateTestRun", { id: -82 });
  system("test-runs", "Planned End Date", 4, "PlannedEndDateTestRun", { id: -83 });
  system("test-runs", "Execution Type", 3, "ExecutionTypeTestRun", {
    id: -84,
    options: execution,
    firstValue: 801,
  });
  system("test-runs", "Environment", 3, "EnvironmentTestRun", {
    id: -85,
    options: environments,
    firstValue: 811,
  });
}

function seedCustomFields(state: QtestState, data: QtestData): void {
  for (const field of data.fields ?? []) addField(state, field);
  const required = state.switches.requiredField;
  if (required !== null) {
    addField(state, { objectType: "test-cases", label: required, dataType: 1, required: true });
  }
}
