const LONGEST = 80;

/**
 * A value of the configuration as it may stand in a message: on one line, not endless, and without the control characters
 * that would reach the operator's terminal. Never for a secret, nor for what may turn out to be one.
 */
export function quote(text: string): string {
  const plain = text.replaceAll(/\p{C}/gu, "\uFFFD");
  return `'${plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain}'`;
}
