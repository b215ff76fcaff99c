/** Longer error messages are cut. */
const MAX_MESSAGE_CHARACTERS = 200;

/** The message on one line; of one that is too long, the line that says what is wrong. */
export function shortMessage(text: string): string {
  const whole = oneLine(text);
  const short = whole.length <= MAX_MESSAGE_CHARACTERS ? whole : oneLine(tellingLine(text));
  return short.slice(0, MAX_MESSAGE_CHARACTERS);
}

/**
 * Python prints the calls first and then the error, and Ruby the error first. Node prints the source
 * line before the error, and other programs may print warnings before it.
 */
function tellingLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const traceback = lines.findLastIndex((line) => line.startsWith("Traceback (most recent call"));
  if (traceback >= 0) {
    const error = lines.slice(traceback + 1).find((line) => /^\S/.test(line));
    if (error !== undefined) return error;
  }
  return (
    lines.find((line) => /^(?=\S).*\b(\w*error|\w*exception|panic|fatal)\b/i.test(line)) ??
    lines[0] ??
    ""
  );
}

/** A text on one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
