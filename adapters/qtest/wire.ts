/**
 * Bodies of the target as they arrive: identity required, everything else tolerated.
 * Unknown keys pass, wrong types of optional keys read as null.
 * @module
 */
import { z } from "zod";

const id = z.union([z.number(), z.string().min(1)]).transform(String);
const idOrNull = id.nullish().catch(null);
const text = z.union([z.string(), z.number().transform(String)]).nullish().catch(null);
const number = z.union([z.number(), z.string().regex(/^-?\d+$/).transform(Number)]).nullish()
  .catch(null);
const flag = z.boolean().nullish().catch(null);

/** Rows that parse; the others are left out, because nothing can be matched without an identity. */
function rows<T extends z.ZodType>(schema: T): z.ZodType<z.output<T>[] | null | undefined> {
  return z.array(z.unknown()).transform((values) => parseRows(schema, values)).nullish().catch(
    null,
  );
}

/** Parses each element; an element without identity is left out. */
export function parseRows<T extends z.ZodType>(schema: T, values: unknown[]): z.output<T>[] {
  return values.flatMap((value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  });
}

/** Parses one object; null when it has no identity. */
export function parseOne<T extends z.ZodType>(schema: T, value: unknown): z.output<T> | null {
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

const link = z.looseObject({ rel: text, href: text });
const links = rows(link);
const ref = z.looseObject({ id: idOrNull }).nullish().catch(null);

/** `field_value` is a string, a number, null, an array, or not there at all. */
const property = z.looseObject({
  field_id: id,
  field_name: text,
  field_value: z.unknown().optional(),
  field_value_name: text,
});
export type WireProperty = z.output<typeof property>;

export const wireAttachment = z.looseObject({ id, name: text, artifact_id: idOrNull });
export type WireAttachment = z.output<typeof wireAttachment>;

const wireStep = z.looseObject({
  id,
  description: text,
  expected: text,
  order: number,
  called_test_case_id: idOrNull,
  called_test_case: ref,
  parent_test_step_id: idOrNull,
});
export type WireStep = z.output<typeof wireStep>;

const named = {
  id,
  pid: text,
  name: text,
  order: number,
  web_url: text,
  description: text,
  properties: rows(property),
};

/** Module, release, cycle, suite, case and run: one tolerant shape for all. */
export const wireArtefact = z.looseObject({
  ...named,
  precondition: text,
  parent_id: idOrNull,
  parentId: idOrNull,
  parentType: text,
  parent_type: text,
  target_release_id: idOrNull,
  test_case_version_id: idOrNull,
  version: text,
  test_case_id: idOrNull,
  testCaseId: idOrNull,
  test_case: ref,
  test_steps: rows(wireStep),
  attachments: rows(wireAttachment),
  children: z.array(z.unknown()).nullish().catch(null),
  "test-cycles": z.array(z.unknown()).nullish().catch(null),
});
export type WireArtefact = z.output<typeof wireArtefact>;

/** A status comes as an object, and in short forms as its name. */
const statusRef = z.union([
  z.looseObject({ id: idOrNull, name: text }),
  z.string().transform((name) => ({ id: null, name })),
]).nullish().catch(null);

const wireStepLog = z.looseObject({
  id: idOrNull,
  test_step_log_id: idOrNull,
  test_step_id: idOrNull,
  test_step: ref,
  order: number,
  status: statusRef,
  actual_result: text,
});

export const wireLog = z.looseObject({
  id,
  name: text,
  pid: text,
  web_url: text,
  links,
  test_run_id: idOrNull,
  testRunId: idOrNull,
  test_run: ref,
  test_case_version_id: idOrNull,
  test_case: ref,
  status: statusRef,
  exe_start_date: z.unknown().optional(),
  exe_end_date: z.unknown().optional(),
  note: text,
  test_step_logs: rows(wireStepLog),
  attachments: rows(wireAttachment),
});
export type WireLog = z.output<typeof wireLog>;

export const wireOption = z.looseObject({ value: id, label: text, is_active: flag });
export const wireField = z.looseObject({
  id,
  label: text,
  data_type: number,
  attribute_type: text,
  original_name: text,
  multiple: flag,
  required: flag,
  system_field: flag,
  is_active: flag,
  default_value: text,
  allowed_values: rows(wireOption),
});
export type WireField = z.output<typeof wireField>;

export const wireStatus = z.looseObject({ id, name: text, is_default: flag, active: flag });
export const wireUser = z.looseObject({
  id,
  username: text,
  first_name: text,
  last_name: text,
  email: text,
});
export const wireProject = z.looseObject({ id, name: text, automation: flag });
export const wireLogin = z.looseObject({
  id: idOrNull,
  user_name: text,
  username: text,
  client_site: text,
  client_site_name: text,
  client_name: text,
}).catch({});
export const wireVersion = z.looseObject({ version: text }).catch({});
export const wireToken = z.looseObject({
  access_token: z.string().min(1),
  refresh_token: text,
});

/** A job of the queue; its content is a text that may hold JSON. */
export const wireJob = z.looseObject({ id, state: text, content: z.unknown().optional() });

/** Link container: the source object and what is linked to it. */
export const wireLinked = z.looseObject({
  id,
  objects: rows(z.looseObject({ id, self: text })),
});

/** Envelope of paged answers; older servers send a bare array instead. */
export const wirePage = z.looseObject({
  items: z.array(z.unknown()).nullish().catch(null),
  page: number,
  page_size: number,
  total: number,
  links,
});
