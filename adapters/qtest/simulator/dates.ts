/**
 * Instants on the wire: seconds precision, the site's offset.
 * @module
 */

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/;

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function offsetMs(offset: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(offset);
  if (match === null) throw new RangeError(`Cannot use site offset "${offset}": not as +00:00`);
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === "-" ? -1 : 1) * minutes * 60_000;
}

/** Returns a function that writes an instant with the given offset, in whole seconds. */
export function createDateWriter(offset: string): (instantMs: number) => string {
  const shift = offsetMs(offset);
  return (instantMs) => {
    const date = new Date(Math.floor(instantMs / 1000) * 1000 + shift);
    return `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}T` +
      `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${
        pad(date.getUTCSeconds())
      }${offset}`;
  };
}

/**
 * Reads an ISO date-time with offset; null when it is none.
 * With `fraction: false` fractional seconds are none either.
 */
export function readInstant(value: unknown, options: { fraction: boolean }): number | null {
  if (typeof value !== "string") return null;
  const match = ISO.exec(value);
  if (match === null || (!options.fraction && match[1] !== undefined)) return null;
  const instant = Date.parse(value.replace(/([+-]\d{2})(\d{2})$/, "$1:$2"));
  return Number.isNaN(instant) ? null : Math.floor(instant / 1000) * 1000;
}
