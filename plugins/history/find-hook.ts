import { AppError } from "../../src/domain/errors";
import type { Hook } from "../../src/domain/hook";
import type { HookTable } from "../../src/domain/hook-table";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { maySee, type Principal } from "../../src/domain/principal";

/**
 * The hook of this host in the table.
 *
 * @throws AppError `forbidden` to a tenant whose hook it is not, whoever else's; `invalid_host` or `hook_not_found`.
 */
export function findHook(text: string, table: HookTable, caller: Principal): Hook {
  const host = parseHostPattern(text);
  if (host === undefined) throw new AppError("invalid_host", { message: text, fields: { host: text } });
  const hook = table.byPattern(host);
  if (hook !== undefined && maySee(caller, hook.authId)) return hook;
  if (caller.role === "tenant") throw new AppError("forbidden");
  throw new AppError("hook_not_found", { message: host, fields: { hosts: [host] } });
}
