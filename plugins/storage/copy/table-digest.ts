import { createHash } from "node:crypto";

/**
 * How many rows a table has, and a digest of all of them: the sum of their digests, so that it is the same in whatever
 * order they are read, and a row that is missing, changed or there twice makes it another one.
 */
export class TableDigest {
  #rows = 0;
  #sum = 0n;

  /** @param values of one row, in the order of the table's columns. */
  add(values: readonly (string | number | null)[]): void {
    this.#rows++;
    const digest = createHash("sha256").update(JSON.stringify(values)).digest("hex");
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${digest}`));
  }

  result(): Digested {
    return { rows: this.#rows, sha256: this.#sum.toString(16).padStart(64, "0") };
  }
}

export type Digested = { readonly rows: number; readonly sha256: string };
