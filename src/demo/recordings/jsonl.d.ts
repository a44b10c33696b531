/** A recording, imported as text: a body must stay as it was sent, to the byte. */
declare module "*.jsonl" {
  const text: string;
  export default text;
}
