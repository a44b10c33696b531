import { itemsAt, label, valueAt } from "./pointer";
import type { Report } from "./report";

/** Another storage than sqlite comes from a plugin; which of them brings it is known when they are loaded. */
export function checkStorage(tree: unknown, report: Report): void {
  const at = "/storage";
  if (valueAt(tree, at) === "sqlite" || itemsAt(tree, "/plugins").length > 0) return;
  report.add(
    at,
    `${label(at)} is not sqlite, and there are no plugins that could bring another one`,
    "Remove it (and STORAGE_URL): the database is kept in data_dir. Or name the plugin's module in plugins.",
  );
}
