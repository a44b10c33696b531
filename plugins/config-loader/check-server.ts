import { valueAt } from "./pointer";
import type { Report } from "./report";

/** The second port must be another one. */
export function checkServer(tree: unknown, report: Report): void {
  const port = valueAt(tree, "/server/management/port");
  if (typeof port !== "number" || port === 0 || port !== valueAt(tree, "/server/port")) return;
  // Fails closed on different addresses too: which of the two answers would depend on how somebody reaches this machine.
  report.add(
    "/server/management/port",
    `server.management.port is server.port, ${port}`,
    "Give the management routes a port of their own (MANAGEMENT_PORT), or remove server.management.",
  );
}
