import type { Viewer } from "../../../src/contracts/history";

/** The auth_id whose part is shown; null: everybody's. */
export function tenantOf(viewer: Viewer): string | null {
  return viewer === "operator" ? null : viewer.authId;
}
