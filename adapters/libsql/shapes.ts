/** The tables in use, by shape, and how list records lie in them. @module */
import { createHash } from "node:crypto";
import type { ListKind, RecordByKind } from "../../core/records/mod.ts";
import * as schema from "./schema.ts";
import { decoder, membersOf, type Shape, shapeOf } from "./rows.ts";
import type { Row } from "./connection.ts";

export const SHAPES = {
  page: shapeOf(schema.page, "scopeId", "list", "at", "part"),
  lookup: shapeOf(schema.lookup, "scopeId", "kind", "id"),
  folder: shapeOf(schema.folder, "scopeId", "id"),
  testCase: shapeOf(schema.testCase, "scopeId", "key"),
  testCycle: shapeOf(schema.testCycle, "scopeId", "id"),
  testPlan: shapeOf(schema.testPlan, "scopeId", "id"),
  execution: shapeOf(schema.testExecution, "scopeId", "id"),
  testScript: shapeOf(schema.testScript, "scopeId", "caseKey"),
  testStep: shapeOf(schema.testStep, "scopeId", "caseKey", "ordinal"),
  executionScript: shapeOf(schema.executionScript, "scopeId", "executionId"),
  executionStep: shapeOf(schema.executionStep, "scopeId", "executionId", "ordinal"),
  attachment: shapeOf(schema.attachment, "scopeId", "owner", "id"),
  detail: shapeOf(schema.detail, "scopeId", "task", "key"),
  target: shapeOf(schema.targetMap, "scopeId", "kind", "key"),
  loss: shapeOf(schema.loss, "scopeId", "key", "phase", "kind", "ordinal"),
  issue: shapeOf(schema.issue, "scopeId", "key", "phase", "kind", "reason"),
  difference: shapeOf(schema.difference, "id"),
  event: shapeOf(schema.event, "id"),
  requestCount: shapeOf(schema.requestCount, "runId", "system", "route", "status"),
  run: shapeOf(schema.run, "id"),
  checkpoint: shapeOf(schema.checkpoint, "scopeId", "name"),
  control: shapeOf(schema.control, "runId", "name"),
} satisfies Record<string, Shape>;

type ListRecord = RecordByKind[ListKind];

/** How records of one kind are kept. */
export interface RecordTable {
  shape: Shape;
  /** Members of the record that are columns. */
  members: string[];
  /** Column that holds the record's key. */
  keyColumn: string;
  /** Columns of the canonical order, and their values for a record. */
  order: string[];
  orderOf(record: ListRecord): (string | number)[];
  decode(row: Row): ListRecord;
  /** Condition beside the scope. */
  where: string;
}

const BOOKKEEPING = ["scopeId", "pageId", "ordinal", "hash", "linkCount"];

function lookupTable(kind: ListKind): RecordTable {
  const members = membersOf(SHAPES.lookup, ...BOOKKEEPING);
  return {
    shape: SHAPES.lookup,
    members,
    keyColumn: "id",
    order: ["id_length", "id"],
    orderOf: (record) => [record.id.length, record.id],
    decode: decoder(SHAPES.lookup, members),
    where: ` AND "kind" = '${kind}'`,
  };
}

function ownTable(
  kind: "folder" | "testCase" | "testCycle" | "testPlan" | "execution",
  order: string[],
  orderOf: RecordTable["orderOf"],
): RecordTable {
  const shape = SHAPES[kind];
  const members = membersOf(shape, ...BOOKKEEPING);
  const keyColumn = kind === "testCase" ? "key" : "id";
  return {
    shape,
    members,
    keyColumn,
    order,
    orderOf,
    decode: decoder(shape, members, { kind }),
    where: "",
  };
}

function byOrd(record: ListRecord): (string | number)[] {
  return "ord" in record ? [record.ord, record.id.length, record.id] : [];
}

function executionOrder(record: ListRecord): (string | number)[] {
  if (record.kind !== "execution") return [];
  const { ord, testCaseKey, cycleId, id } = record;
  return [ord, testCaseKey ?? "", cycleId ?? "", id.length, id];
}

/** Tables of the list records by kind. */
export const RECORD_TABLES: Record<ListKind, RecordTable> = {
  priority: lookupTable("priority"),
  status: lookupTable("status"),
  environment: lookupTable("environment"),
  folder: ownTable("folder", ["id_length", "id"], (record) => [record.id.length, record.id]),
  testPlan: ownTable("testPlan", ["ord", "id_length", "id"], byOrd),
  testCycle: ownTable("testCycle", ["ord", "id_length", "id"], byOrd),
  testCase: ownTable(
    "testCase",
    ["ord", "key"],
    (record) => record.kind === "testCase" ? [record.ord, record.key] : [],
  ),
  execution: ownTable(
    "execution",
    ["ord", "case_sort", "cycle_sort", "id_length", "id"],
    executionOrder,
  ),
};

/** Content hash of a record. */
export function recordHash(record: ListRecord): string {
  return createHash("sha256").update(JSON.stringify(record)).digest("hex").slice(0, 16);
}
