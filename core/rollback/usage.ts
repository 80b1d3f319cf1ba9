/** Who uses the fields and options that a run made: those stay as long as anybody does. @module */
import type { FieldValue, Found } from "../ports/mod.ts";

/** Fields and options to watch while everything in the target is read anyway. */
export class FieldUsage {
  /** Field or `field/label` → the first artefact found with it; null = nobody so far. */
  readonly #users = new Map<string, string | null>();

  watchField(fieldId: string): void {
    this.#users.set(fieldId, null);
  }

  watchOption(fieldId: string, label: string): void {
    this.#users.set(`${fieldId}/${label}`, null);
  }

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** Takes note of the values of an artefact that stays. */
  learn(found: Found): void {
    if (this.isEmpty) return;
    const user = `${found.kind} ${found.pid ?? found.id}`;
    for (const { fieldId, value } of found.fields) {
      if (!hasValue(value)) continue;
      this.#note(fieldId, user);
      if (value?.type !== "options") continue;
      for (const label of value.labels) this.#note(`${fieldId}/${label}`, user);
    }
  }

  /** The artefact that uses a field, or one of its options; null when none does. */
  userOf(fieldId: string, label?: string): string | null {
    return this.#users.get(label === undefined ? fieldId : `${fieldId}/${label}`) ?? null;
  }

  #note(name: string, user: string): void {
    if (this.#users.get(name) === null) this.#users.set(name, user);
  }
}

/** Whether a field holds anything. */
export function hasValue(value: FieldValue | null): boolean {
  switch (value?.type) {
    case undefined:
      return false;
    case "text":
      return value.text !== "";
    case "richText":
      return value.html !== "";
    case "options":
      return value.labels.length > 0;
    case "users":
      return value.ids.length > 0;
    case "date":
    case "dateTime":
      return value.iso !== "";
    case "boolean":
      return value.value;
    case "number":
      return true;
  }
}
