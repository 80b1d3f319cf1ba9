/** What is odd about records of the source, found while they are read once. @module */
import type { ListKind, RecordByKind } from "../records/mod.ts";
import type { RuleFinding } from "../validate/findings.ts";

/** Collects what is odd about records of the source while they are read once. */
export class SourceRules {
  readonly #found = new Map<string, { count: number; samples: string[] }>();
  readonly #folders: ReadonlySet<string>;
  readonly #cycles: ReadonlySet<string>;

  /** Ids of the folders and cycles that are stored. */
  constructor(folders: ReadonlySet<string>, cycles: ReadonlySet<string>) {
    this.#folders = folders;
    this.#cycles = cycles;
  }

  look(record: RecordByKind[ListKind]): void {
    switch (record.kind) {
      case "testCase":
        this.#when(isBlank(record.name), "test_case_required_fields", record.key);
        this.#when((record.name ?? "").length > 500, "test_case_name_length", record.key);
        this.#when(!/^[A-Z][A-Z_0-9]+-T\d+$/.test(record.key), "test_case_key_pattern", record.key);
        this.#when(this.#isUnknownFolder(record.folderId), "testcase_folder_reference", record.key);
        return;
      case "testCycle":
        this.#when(isBlank(record.name), "test_cycle_required_fields", record.key);
        return;
      case "execution": {
        const isBare = record.testCaseKey === null || record.statusId === null;
        this.#when(isBare, "test_execution_required_fields", record.key ?? record.id);
        const isLost = record.cycleId !== null && !this.#cycles.has(record.cycleId);
        this.#when(isLost, "execution_cycle_reference", record.key ?? record.id);
        return;
      }
    }
  }

  #isUnknownFolder(folderId: string | null): boolean {
    return folderId !== null && !this.#folders.has(folderId);
  }

  #when(isFound: boolean, rule: string, key: string): void {
    if (!isFound) return;
    const found = this.#found.get(rule) ?? { count: 0, samples: [] };
    found.count++;
    if (found.samples.length < 5) found.samples.push(key);
    this.#found.set(rule, found);
  }

  findings(): RuleFinding[] {
    return [...this.#found].map(([rule, { count, samples }]) => ({
      rule,
      count,
      message: `${count} records: ${samples.join(", ")}${count > samples.length ? ", …" : ""}`,
    }));
  }
}

function isBlank(text: string | null): boolean {
  return text === null || text.trim() === "";
}
