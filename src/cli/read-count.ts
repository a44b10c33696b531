import { InvalidArgumentError } from "@commander-js/extra-typings";

/** Reads a whole number from 1, for commander's options and arguments. */
export function readCount(text: string): number {
  return readNumber(text, 1);
}

/** The same from 0: 0 is the version before the first. */
export function readVersion(text: string): number {
  return readNumber(text, 0);
}

function readNumber(text: string, least: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (number < least) throw new InvalidArgumentError(`It is a whole number, ${least} or more.`);
  return number;
}
