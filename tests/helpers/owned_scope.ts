/** A scope and the lease on it, for tests that write to a store. @module */
import type { Lease, Store } from "../../core/ports/mod.ts";
import { isoAt, SPEC } from "../contracts/store_samples.ts";

/** Opens the samples' scope and takes its lease. */
export async function ownScope(store: Store): Promise<{ scopeId: number; lease: Lease }> {
  const { id: scopeId } = await store.openScope(SPEC);
  const request = { scopeId, owner: "a", host: "h", pid: 1, now: isoAt(0), expiresAt: isoAt(9) };
  // The samples' process never lived: whoever held the scope before is gone.
  const { lease } = await store.acquireLease(request, () => true);
  if (lease === null) throw new Error("held");
  return { scopeId, lease };
}
