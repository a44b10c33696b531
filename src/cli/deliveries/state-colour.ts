import type { Colour } from "../../demo/paint";

/** Green for what has arrived, yellow for what may, red for what did not. */
export function stateColour(state: string): Colour {
  if (state === "delivered") return "green";
  return state === "pending" ? "yellow" : "red";
}
