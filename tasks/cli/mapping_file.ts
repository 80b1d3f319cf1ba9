/** Reading the mapping file, and adding to it. @module */
import {
  emptyMapping,
  formatMapping,
  type Mapping,
  mergeMapping,
  parseMapping,
} from "../../core/config/mod.ts";
import { readError, writeError } from "./files.ts";

/** Reads the mapping file; a file that is not there says nothing. @throws {ConfigError} */
export function readMapping(path: string): Mapping {
  const text = readText(path);
  return text === null ? emptyMapping() : parseMapping(path, text);
}

/**
 * Returns the function that adds proposals to the file. It reads the file anew, so edits made while
 * a run works are kept, and replaces it whole.
 */
export function mappingSaver(path: string): (additions: Partial<Mapping>) => Promise<void> {
  return async (additions) => {
    const { mapping, added } = mergeMapping(readMapping(path), additions);
    if (added.length === 0) return;
    try {
      await Deno.writeTextFile(`${path}.part`, formatMapping(mapping));
      await Deno.rename(`${path}.part`, path);
    } catch (error) {
      throw writeError(error, "the mapping file", path);
    }
  };
}

function readText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw readError(error, "the mapping file", path);
  }
}
