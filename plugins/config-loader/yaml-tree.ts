import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import { child, type Pointer } from "./pointer";
import type { YamlFault } from "./yaml-fault";

/** Values of a whole file, aliases counted as often as they are used. */
const MOST_VALUES = 200_000;
const DEEPEST = 32;

export type YamlTree = {
  readonly value: unknown;
  /** Where each value is: its key's offset, or its own in a list. */
  readonly offsets: ReadonlyMap<Pointer, number>;
  readonly faults: readonly YamlFault[];
};

/** The plain values of a document's nodes. Unlike the library's own `toJS` it tells where each one was. */
export function yamlTree(contents: Node | null, text: string): YamlTree {
  const reader = new TreeReader(text);
  const value = reader.read(contents, "", 0);
  return { value, offsets: reader.offsets, faults: reader.faults };
}

class TreeReader {
  readonly offsets = new Map<Pointer, number>();
  readonly faults: YamlFault[] = [];
  readonly #text: string;
  readonly #anchors = new Map<string, Node>();
  #values = 0;
  #tooMuch = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(node: Node | null, pointer: Pointer, depth: number): unknown {
    if (this.#isTooMuch(node, depth)) return null;
    if (isAlias(node)) return this.#readAlias(node.source, node, pointer, depth);
    const value = this.#readContent(node, pointer, depth);
    // Only now, so that an alias within its own anchor finds none.
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node);
    return value;
  }

  /** Fails closed because aliases of aliases grow beyond any memory ("billion laughs"). */
  #isTooMuch(node: Node | null, depth: number): boolean {
    this.#values += 1;
    if (this.#tooMuch) return true;
    this.#tooMuch = this.#values > MOST_VALUES || depth > DEEPEST;
    if (this.#tooMuch) {
      this.#fault(node, true, "The file holds too much", "Write out what aliases (*) stand for, or make it smaller.");
    }
    return this.#tooMuch;
  }

  #readAlias(name: string, node: Node, pointer: Pointer, depth: number): unknown {
    const target = this.#anchors.get(name);
    if (target !== undefined) return this.read(target, pointer, depth + 1);
    this.#fault(node, true, "An alias (*) has no anchor (&) before it", "Put a value that begins with * in quotes.");
    return null;
  }

  #readContent(node: Node | null, pointer: Pointer, depth: number): unknown {
    if (isScalar(node)) {
      this.#checkLines(node, node.type === "PLAIN");
      return node.value;
    }
    if (isSeq<Node | null>(node)) {
      return node.items.map((item, index) => {
        const at = child(pointer, index);
        this.offsets.set(at, offsetOf(item));
        return this.read(item, at, depth + 1);
      });
    }
    if (!isMap<Node, Node | null>(node)) return null;
    // fromEntries, because assigning to `__proto__` would set a prototype instead of a key.
    return Object.fromEntries(
      node.items.map(({ key, value }) => {
        const name = isScalar(key) ? String(key.value) : "";
        const at = child(pointer, name);
        this.offsets.set(at, offsetOf(key));
        return [name, this.read(value, at, depth + 1)];
      }),
    );
  }

  /**
   * YAML lets a value without quotes go on over several lines. Here that is a setting whose colon lacks its space, which
   * would end up in the value of the setting before it: a secret in a path, for instance.
   */
  #checkLines(node: Node, plain: boolean): void {
    if (!plain || !this.#text.slice(node.range?.[0], node.range?.[1]).includes("\n")) return;
    const hint = "Look for a colon without a space after it in the next line; or put the whole value in quotes.";
    this.#fault(node, false, "A value without quotes goes on in the next line", hint);
  }

  #fault(node: Node | null, fatal: boolean, message: string, hint: string): void {
    this.faults.push({ message, hint, offset: offsetOf(node), fatal });
  }
}

const offsetOf = (node: Node | null): number => node?.range?.[0] ?? 0;
