/** What every record's transform shares: the context, names, rich text, and fields of a draft. @module */
import type { DraftField, FieldObject, TargetField } from "../ports/mod.ts";
import type { CustomFields } from "../records/mod.ts";
import {
  escapeHtml,
  hasMarkup,
  MARKERS,
  neutralize,
  plainToHtml,
  replaceImages,
  sealHtml,
} from "../text/mod.ts";
import type { TransformContext } from "./types.ts";
import type { SystemSource } from "./fields_own.ts";
import { customSource, ownSource } from "./fields_own.ts";
import type { SourceValue } from "./fields_values.ts";
import { encodeValue, isEmptyValue, plainOf } from "./fields_values.ts";
import { requiredFields, requiredValue, valueText } from "./fields_required.ts";
import { guessPriority } from "./priorities.ts";
import type { Ledger } from "./ledger.ts";
import type { References } from "./references.ts";

/** Context with everything derived from it once. */
export interface Scope {
  context: TransformContext;
  names: References;
  sourceHost: string | null;
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host.toLowerCase() : null;
}

/** Host of the source's API, null when the setting is no URL. */
export function sourceHostOf(origin: string): string | null {
  return hostOf(origin);
}

/** Whether the API token can read an image: inside the text, or on the API's own host. */
function isReadable(src: string, sourceHost: string | null): boolean {
  if (src === "" || /^data:/i.test(src)) return true;
  const host = hostOf(src.startsWith("//") ? `https:${src}` : src);
  return host !== null && host === sourceHost;
}

/**
 * Takes over rich text: images that cannot be read become a note with name and URL (rule
 * `image-unreachable`), `[~` is neutralised, a tag without end is escaped, all else stays as it is. Null is "".
 */
export function richText(scope: Scope, html: string | null, ledger: Ledger, field: string): string {
  if (html === null || html === "") return "";
  const replaced = replaceImages(html, ({ src, name }) => {
    if (isReadable(src, scope.sourceHost)) return null;
    const note = `[Image: ${name}, ${src}]`;
    ledger.add(field, "image-unreachable", src, note);
    return escapeHtml(note);
  });
  return neutralize(sealHtml(replaced));
}

/** A paragraph `label: value` with both escaped. */
export function line(label: string, value: string): string {
  return htmlLine(label, plainToHtml(value));
}

/** A paragraph `label: value` whose value is rich text. */
export function htmlLine(label: string, html: string): string {
  return neutralize(`<p>${escapeHtml(label)}: ${html}</p>`);
}

/** A custom field's value inside rich text: with a line break or tag it is a multi-line field. */
export function customHtml(scope: Scope, value: unknown, ledger: Ledger, field: string): string {
  return typeof value === "string" && hasMarkup(value)
    ? richText(scope, value, ledger, field)
    : neutralize(plainToHtml(plainOf(value)));
}

/** The marker line for a description or note, "" where markers are off. */
export function markerLine(
  scope: Scope,
  ...[kind, key]: Parameters<typeof MARKERS.line>
): string {
  return scope.context.marker === "none" ? "" : MARKERS.line(kind, key);
}

/** Collects the fields of one draft; values without a field become lines of its text. */
export class DraftFields {
  /** Lines for values that no field takes. */
  readonly lines: string[] = [];
  readonly #scope: Scope;
  readonly #object: FieldObject;
  readonly #ledger: Ledger;
  readonly #fields = new Map<string, DraftField>();
  /** What the ledger says of lines, null when the object has no text to put them in. */
  readonly #textName: string | null;

  constructor(scope: Scope, object: FieldObject, ledger: Ledger, textName: string | null) {
    this.#scope = scope;
    this.#object = object;
    this.#ledger = ledger;
    this.#textName = textName;
  }

  find(source: string): TargetField | null {
    return this.#scope.context.field(this.#object, source);
  }

  own(label: string, name: string, value: SourceValue): void {
    this.#place(ownSource(label), label, name, value);
  }

  system(source: SystemSource, label: string, name: string, value: SourceValue): void {
    this.#place(source, label, name, value);
  }

  /** Sets a field as it is, without a look at what it can hold. */
  set(field: TargetField, value: DraftField["value"]): void {
    this.#fields.set(field.id, { field, value });
  }

  custom(fields: CustomFields): void {
    for (const [name, value] of Object.entries(fields)) {
      if (isEmptyValue(value)) continue;
      const field = this.find(customSource(name));
      const isHtml = field?.type === "richText" && typeof value === "string";
      const label = field?.label ?? name;
      this.#place(
        customSource(name),
        label,
        name,
        isHtml
          ? { kind: "html", html: richText(this.#scope, value, this.#ledger, name) }
          : { kind: "plain", value },
      );
    }
  }

  #place(source: string, label: string, name: string, value: SourceValue): void {
    const field = this.find(source);
    if (field === null) return this.#withoutField(label, name, value);
    const encoded = encodeValue(field, value, this.#scope.names.user);
    if (encoded.value !== null) this.set(field, encoded.value);
    if (encoded.lost === null) return;
    const after = encoded.value === null ? null : valueText(encoded.value);
    this.#ledger.add(name, encoded.lost.rule, encoded.lost.text, after);
  }

  #withoutField(label: string, name: string, value: SourceValue): void {
    const before = value.kind === "html"
      ? value.html
      : value.kind === "account"
      ? value.id
      : plainOf(value.value);
    this.#ledger.add(name, "no-field", before, this.#textName);
    if (this.#textName === null) return;
    this.lines.push(
      value.kind === "html" ? htmlLine(label, value.html) : line(label, before),
    );
  }

  /** Adds what the target requires and returns the fields in the order they were set. */
  finish(): DraftField[] {
    const { mapping, profile } = this.#scope.context;
    for (const field of requiredFields(profile, this.#object)) {
      if (this.#fields.has(field.id)) continue;
      const outcome = requiredValue(field, mapping, profile);
      if (outcome.value !== null) {
        this.set(field, outcome.value);
        if (outcome.from === "default") this.#defaulted(field, outcome.text);
      } else if (field.id === this.find("system:priority")?.id) this.#defaultPriority(field);
    }
    return [...this.#fields.values()];
  }

  /** Placeholders have no priority of their own. */
  #defaultPriority(field: TargetField): void {
    const allowed = field.options.map((option) => option.label);
    const { priority } = this.#scope.context.mapping.defaults;
    const label = allowed.find((option) => option.toLowerCase() === priority?.toLowerCase()) ??
      guessPriority("", allowed);
    if (label === null) return;
    this.set(field, { type: "options", labels: [label] });
    this.#defaulted(field, label);
  }

  #defaulted(field: TargetField, text: string): void {
    this.#ledger.add(field.label, "required-default", null, text);
  }
}
