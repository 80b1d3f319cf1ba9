/** Requirements and their links to test cases. @module */
import type { WriteOptions } from "../../core/ports/mod.ts";
import { type QtestApi, toNumber } from "./api.ts";
import { parseRows, wireArtefact, wireLinked } from "./wire.ts";

const LINK_ROUTE = "/{objectType}/{objectId}/link";
const IDS_PER_REQUEST = 100;

/** Finds the requirement that mirrors a Jira issue; the first one when there are several. */
export async function findRequirement(
  api: QtestApi,
  jiraKey: string,
  signal: AbortSignal,
): Promise<{ id: string } | null> {
  // How to escape a quote is not documented, and no issue key has one.
  if (jiraKey.includes("'")) return null;
  const answer = await api.read({
    to: "/search",
    query: { includeExternalProperties: true, page: 1, pageSize: 100 },
    json: {
      object_type: "requirements",
      fields: ["*"],
      query: `'External Id' = '${jiraKey}'`,
    },
    signal,
  });
  const items = (answer.json as { items?: unknown } | undefined)?.items;
  const [first] = parseRows(wireArtefact, Array.isArray(items) ? items : []);
  return first === undefined ? null : { id: first.id };
}

/**
 * Links test cases to a requirement and returns the case ids the answer names: the target leaves out
 * silently what it cannot link.
 */
export async function linkRequirement(
  api: QtestApi,
  requirementId: string,
  testCaseIds: string[],
  write: WriteOptions,
): Promise<string[]> {
  const answer = await api.write({
    method: "POST",
    to: LINK_ROUTE,
    params: { objectType: "requirements", objectId: requirementId },
    query: { type: "test-cases" },
    json: testCaseIds.map(toNumber),
  }, write);
  return [...toLinks(answer.json, [requirementId]).get(requirementId) ?? []];
}

/** Removes links; the vendor takes their ids in the body of the DELETE. */
export async function unlinkRequirement(
  api: QtestApi,
  requirementId: string,
  testCaseIds: string[],
  write: WriteOptions,
): Promise<boolean> {
  await api.write({
    method: "DELETE",
    to: LINK_ROUTE,
    params: { objectType: "requirements", objectId: requirementId },
    query: { type: "test-cases" },
    json: testCaseIds.map(toNumber),
    accept: [404],
    textAnswer: true,
  }, write);
  return true;
}

/** Case ids by requirement; every asked requirement has an entry. */
export async function linkedTestCases(
  api: QtestApi,
  requirementIds: string[],
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  const ids = [...new Set(requirementIds)];
  const linked = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (let start = 0; start < ids.length; start += IDS_PER_REQUEST) {
    const chunk = ids.slice(start, start + IDS_PER_REQUEST);
    const answer = await api.read({
      to: "/linked-artifacts",
      query: { type: "requirements", ids: chunk.join(",") },
      signal,
    });
    for (const [id, cases] of toLinks(answer.json, chunk)) linked.set(id, [...cases]);
  }
  return linked;
}

/** Reads link containers whichever side they name as the source. */
function toLinks(json: unknown, requirementIds: string[]): Map<string, Set<string>> {
  const links = new Map<string, Set<string>>(requirementIds.map((id) => [id, new Set()]));
  const rows = Array.isArray(json) ? json : json === undefined ? [] : [json];
  for (const container of parseRows(wireLinked, rows)) {
    const own = links.get(container.id);
    for (const object of container.objects ?? []) {
      if (own !== undefined && mayBeCase(object.self)) own.add(object.id);
      if (own === undefined) links.get(object.id)?.add(container.id);
    }
  }
  return links;
}

/** Linked objects of other types are told apart by their address, where there is one. */
function mayBeCase(self: string | null | undefined): boolean {
  return self == null || self.includes("/test-cases/") ||
    !/\/(releases|builds|requirements|test-runs|test-logs|test-steps|defects)\/[^/]*$/.test(self);
}
