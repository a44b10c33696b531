import { misuse } from "./command-error";

/**
 * States, separated by commas.
 *
 * @param option whose value they are, for the error.
 * @throws CommandError when one of them is not known.
 */
export function readStates<State extends string>(option: string, text: string, known: readonly State[]): State[] {
  return text.split(",").map((name) => {
    const state = known.find((one) => one === name.trim());
    if (state === undefined) {
      throw misuse(`${option} has one it does not know: ${name}`, `They are ${known.join(", ")}.`);
    }
    return state;
  });
}
