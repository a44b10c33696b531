import { misuse } from "./command-error";

/**
 * The text of a file; of the standard input for `-`.
 *
 * @throws CommandError when it cannot be read.
 */
export async function readInput(file: string): Promise<string> {
  try {
    return await (file === "-" ? Bun.stdin : Bun.file(file)).text();
  } catch (error) {
    throw misuse(`The file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
