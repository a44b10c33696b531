import type { Hook } from "../../../src/domain/hook";

/** Attempts under way by tenant. Hooks that nobody owns count together when their urls have the same host and port. */
export class TenantLoad {
  readonly #underWay = new Map<string, number>();

  of(hook: Hook): number {
    return this.#underWay.get(tenantOf(hook)) ?? 0;
  }

  /** An attempt begins; the returned function says that it has ended. */
  begin(hook: Hook): () => void {
    const tenant = tenantOf(hook);
    this.#add(tenant, 1);
    return () => this.#add(tenant, -1);
  }

  #add(tenant: string, attempts: number): void {
    const underWay = (this.#underWay.get(tenant) ?? 0) + attempts;
    if (underWay > 0) this.#underWay.set(tenant, underWay);
    else this.#underWay.delete(tenant);
  }
}

const tenantOf = ({ authId, url }: Hook): string =>
  authId === undefined ? `url ${new URL(url).host}` : `auth_id ${authId}`;
