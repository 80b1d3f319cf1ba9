/** What ids mean: statuses, users, and things that only Jira can name. @module */
import type { Mapping } from "../config/types.ts";
import type { TargetProfile, TargetUser } from "../ports/mod.ts";
import type { LookupRecord } from "../records/mod.ts";

/** Orders vendor ids by number, whatever their length; other texts by code unit. */
export function compareIds(a: string, b: string): number {
  const numeric = /^\d+$/.test(a) && /^\d+$/.test(b);
  if (numeric && a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Finds the value of a key without regard to case. */
export function lookUp<T>(table: Record<string, T>, key: string): T | undefined {
  if (Object.hasOwn(table, key)) return table[key];
  const wanted = key.trim().toLowerCase();
  const found = Object.keys(table).find((name) => name.trim().toLowerCase() === wanted);
  return found === undefined ? undefined : table[found];
}

/** Finds target users by source account ids, through the mapping file's user names. */
export function userFinder(
  mapping: Pick<Mapping, "users">,
  profile: Pick<TargetProfile, "users">,
): (accountId: string) => TargetUser | null {
  const byName = new Map<string, TargetUser>();
  for (const user of profile.users) {
    if (user.email !== null) byName.set(user.email.toLowerCase(), user);
  }
  // User names win over mail addresses.
  for (const user of profile.users) byName.set(user.username.toLowerCase(), user);
  return (accountId) => {
    const name = Object.hasOwn(mapping.users, accountId) ? mapping.users[accountId] : undefined;
    return name === undefined ? null : byName.get(name.trim().toLowerCase()) ?? null;
  };
}

/** Names for references of records. */
export interface References {
  /** Name of a status, priority or environment; `<kind> <id>` when the source does not tell. */
  lookup(kind: LookupRecord["kind"], id: string): string;
  /** Name from the mapping file, else `<kind> <id>`. */
  jira(kind: "component" | "Jira version", id: string): string;
  /** Issue key from the mapping file, null when it has none. */
  issueKey(issueId: string): string | null;
  user(accountId: string): TargetUser | null;
  /** User for notes: `user name (account id)`, or the account id alone. */
  userText(accountId: string): string;
}

/** Builds the names for one mapping and one project's lookups. */
export function createReferences(
  context: { mapping: Mapping; profile: TargetProfile; lookups: Map<string, LookupRecord> },
): References {
  const { mapping, lookups } = context;
  const user = userFinder(mapping, context.profile);
  const named = (text: string): string => lookUp(mapping.names, text) ?? text;
  return {
    lookup: (kind, id) => lookupName(mapping, lookups.get(`${kind}/${id}`), kind, id),
    jira: (kind, id) => named(`${kind} ${id}`),
    issueKey: (issueId) =>
      Object.hasOwn(mapping.issues, issueId) ? mapping.issues[issueId] ?? null : null,
    user,
    userText: (accountId) => {
      const name = Object.hasOwn(mapping.users, accountId) ? mapping.users[accountId] : undefined;
      return name === undefined ? accountId : `${name} (${accountId})`;
    },
  };
}

/** Name of a status, priority or environment; `<kind> <id>` when the source does not tell. */
export function lookupName(
  mapping: Pick<Mapping, "names">,
  record: Pick<LookupRecord, "name"> | undefined,
  kind: LookupRecord["kind"],
  id: string,
): string {
  const name = record?.name?.trim() ?? "";
  const text = `${kind} ${id}`;
  return name === "" ? lookUp(mapping.names, text) ?? text : name;
}
