import { KindGuard, type TSchema } from "@sinclair/typebox";
import type { Plugin } from "../contracts/plugin";

/**
 * A plugin's options as a Markdown table, for its documentation: a test that compares the two keeps it true.
 *
 * @example
 * test("the README has every option", async () => {
 *   const readme = await Bun.file("README.md").text();
 *   for (const row of optionsTable(plugin)) expect(readme).toContain(row);
 * });
 *
 * @returns the table's lines, its head first, without padding.
 */
export function optionsTable({ options }: Pick<Plugin, "options">): readonly string[] {
  return ["| option | default | |", "| --- | --- | --- |", ...rowsOf(options, "", true)];
}

function rowsOf(schema: TSchema, name: string, required: boolean): string[] {
  if (KindGuard.IsObject(schema)) {
    const needed: readonly string[] = schema.required ?? [];
    return Object.entries(schema.properties).flatMap(([key, member]) =>
      rowsOf(member, name === "" ? key : `${name}.${key}`, needed.includes(key)),
    );
  }
  const nested =
    KindGuard.IsArray(schema) && KindGuard.IsObject(schema.items) ? rowsOf(schema.items, `${name}[]`, true) : [];
  return [`| \`${name}\` | ${defaultOf(schema, required)} | ${schema.description ?? ""} |`, ...nested];
}

function defaultOf(schema: TSchema, required: boolean): string {
  const value: unknown = schema["default"];
  if (value === undefined) return required ? "required" : "none";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
