/** Routes of attachments, and of issue links. @module */
import { hashText } from "../../simulator_kit/mod.ts";
import { ApiError, notFound } from "./answers.ts";
import type { Call, Route } from "./routes_entities.ts";
import type { SimulatorState } from "./state.ts";
import type { SimAttachment, SimAttachmentOwner } from "./types.ts";

type OwnerOf = (call: Call) => SimAttachmentOwner;

const TYPES: Record<string, string> = {
  png: "image/png",
  txt: "text/plain",
  log: "text/plain",
  pdf: "application/pdf",
  csv: "text/csv",
  zip: "application/zip",
};
const CHUNK = 65_536;

/** Lists and contents of files. `redirectTo` gives another host's URL for a file. */
export function fileRoutes(
  state: SimulatorState,
  redirectTo: (file: SimAttachment) => string | null,
): Route[] {
  return ownerPaths(state).flatMap(([path, ownerOf]): Route[] => [
    [`${path}/attachments`, (call) => {
      refuseOldGenerations(state);
      const files = state.dataset.attachments(ownerOf(call));
      // The vendor makes no difference between "no files" and "no such entity".
      if (files.length === 0) throw notFound("Attachment");
      return Response.json({ attachments: files.map(({ id, name }) => ({ id, name })) });
    }],
    [`${path}/attachments/{attachmentId}`, (call) => {
      refuseOldGenerations(state);
      const files = state.dataset.attachments(ownerOf(call));
      const file = files.find((row) => String(row.id) === call.param("attachmentId"));
      if (file === undefined) throw notFound("Attachment");
      const location = redirectTo(file);
      if (location !== null) return new Response(null, { status: 302, headers: { location } });
      return fileAnswer(state, file);
    }],
  ]);
}

function ownerPaths(state: SimulatorState): [string, OwnerOf][] {
  const stepId = (call: Call): number => Number(call.param("stepId"));
  const caseKey = (call: Call): string => {
    const text = call.param("testCaseIdOrKey");
    const byId = /^[0-9]+$/.test(text)
      ? state.dataset.cases.find((row) => String(row.id) === text)?.key
      : text;
    return state.testCase(byId ?? "-T0").key;
  };
  const execution = (call: Call): string =>
    String(state.execution(call.param("testExecutionIdOrKey")).id);
  return [
    ["/testcases/{testCaseIdOrKey}", (call) => ({ kind: "testCase", id: caseKey(call) })],
    ["/testcases/{testCaseIdOrKey}/teststeps/{stepId}", (call) => ({
      kind: "testStep",
      id: caseKey(call),
      stepId: stepId(call),
    })],
    ["/testcycles/{testCycleIdOrKey}", (call) => ({
      kind: "testCycle",
      id: String(state.cycle(call.param("testCycleIdOrKey")).id),
    })],
    ["/testplans/{testPlanIdOrKey}", (call) => ({
      kind: "testPlan",
      id: String(state.plan(call.param("testPlanIdOrKey")).id),
    })],
    ["/testexecutions/{testExecutionIdOrKey}", (call) => ({
      kind: "execution",
      id: execution(call),
    })],
    ["/testexecutions/{testExecutionIdOrKey}/teststeps/{stepId}", (call) => ({
      kind: "executionStep",
      id: execution(call),
      stepId: stepId(call),
    })],
  ];
}

/** Before generation C these paths led nowhere, each in its own way. */
function refuseOldGenerations(state: SimulatorState): void {
  const { generation } = state.settings;
  if (generation === "B") throw new ApiError(503, "Service Unavailable");
  if (generation === "A") throw new ApiError(403, "Forbidden");
}

/** Streams a file. */
export function fileAnswer(state: SimulatorState, file: SimAttachment): Response {
  const bytes = state.dataset.attachmentBytes(file);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (sent >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(sent, sent + CHUNK));
      sent += CHUNK;
    },
  });
  const type = TYPES[file.name.slice(file.name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return new Response(body, {
    headers: { "content-type": type, "content-length": String(bytes.length) },
  });
}

/** Text without which the other host refuses a download. */
export function fileSignature(state: SimulatorState, file: SimAttachment): string {
  const { kind, id, stepId } = file.owner;
  return hashText(`${kind}/${id}/${stepId}/${file.id}`, state.settings.seed).toString(16);
}

/** Reverse look-up by issue key; `ABC-12` stands for the issue with the id 305012. */
export function issueLinkRoutes(state: SimulatorState): Route[] {
  const { dataset, base } = state;
  const issueId = (call: Call): number => {
    const number = /.+-([0-9]+)$/.exec(call.param("issueKey"))?.[1];
    if (number === undefined) throw new ApiError(400, "issueKey: not an issue key");
    return 305_000 + Number(number);
  };
  const linked = (call: Call) => (row: { issues: { issueId: number }[] }): boolean =>
    row.issues.some((link) => link.issueId === issueId(call));
  const ids = (rows: { id: number }[], path: string): Response =>
    Response.json(rows.map(({ id }) => ({ id, self: `${base}/${path}/${id}` })));
  return [
    ["/issuelinks/{issueKey}/testcases", (call) =>
      Response.json(
        dataset.cases.filter((row) => !row.archived && linked(call)(row)).map((row) => ({
          key: row.key,
          version: row.versionIds.length,
          self: `${base}/testcases/${row.key}/versions/${row.versionIds.length}`,
        })),
      )],
    [
      "/issuelinks/{issueKey}/testcycles",
      (call) => ids(dataset.cycles.filter(linked(call)), "testcycles"),
    ],
    [
      "/issuelinks/{issueKey}/testplans",
      (call) => ids(dataset.plans.filter(linked(call)), "testplans"),
    ],
    [
      "/issuelinks/{issueKey}/executions",
      (call) => ids([...dataset.executions].filter(linked(call)), "testexecutions"),
    ],
  ];
}
