import { isPostgresUrl } from "./general-formats";
import { itemsAt, label, valueAt } from "./pointer";
import type { Report } from "./report";

/** Another storage than sqlite and Postgres comes from a plugin; which of them brings it is known when they are loaded. */
export function checkStorage(tree: unknown, report: Report): void {
  const at = "/storage";
  const named = valueAt(tree, at);
  const isBuiltIn = named === "sqlite" || (typeof named === "string" && isPostgresUrl(named));
  if (isBuiltIn || itemsAt(tree, "/plugins").length > 0) return;
  report.add(
    at,
    `${label(at)} is not sqlite, and there are no plugins that could bring another one`,
    "Remove it (and STORAGE_URL): the database is kept in data_dir. Or write a postgres:// URL, or name the plugin's module in plugins.",
  );
}
