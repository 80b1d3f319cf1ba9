/** Who this process is, and whether its neighbours live. @module */
import { kill } from "node:process";
import type { Host } from "../core/engine/types.ts";

/** Describes this process for the lease. */
export function processHost(): Host {
  return { hostname: Deno.hostname(), pid: Deno.pid, isAlive };
}

function isAlive(pid: number): boolean {
  try {
    kill(pid, 0);
  } catch (error) {
    // A process of another user is alive all the same.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return !isZombie(pid);
}

/** A dead process whose parent has not looked still takes signals. */
function isZombie(pid: number): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
