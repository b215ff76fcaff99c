import { styleText } from "node:util";

/** Colours a text, or leaves it as it is. */
export type Colours = (style: Parameters<typeof styleText>[0], text: string) => string;

/**
 * @param colour whether the reader's terminal shows colours; `process.stdout.isTTY` together with
 * `process.stdout.hasColors()` says so, and heeds NO_COLOR
 */
export function coloursFor(colour: boolean): Colours {
  if (!colour) return (_, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}
