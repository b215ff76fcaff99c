/** A line of either text, or of both. */
interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

const CONTEXT = 3;

/** Beyond so many pairs of lines, what differs is shown as one block. */
const MOST_PAIRS = 25_000_000;

/** What changes `before` into `after`, line by line, as `diff -u` shows it; empty if nothing does. */
export function lineDiff(before: string, after: string): string {
  const lines = compared(before.split("\n"), after.split("\n"));
  const near = new Set(
    lines.flatMap(({ mark }, at) =>
      mark === " "
        ? []
        : Array.from({ length: 2 * CONTEXT + 1 }, (_, index) => at - CONTEXT + index),
    ),
  );
  const out: string[] = [];
  let [left, right] = [1, 1];
  lines.forEach(({ mark, text }, at) => {
    if (near.has(at)) {
      if (at === 0 || !near.has(at - 1)) out.push(`@@ -${left} +${right} @@`);
      out.push(mark + text);
    }
    if (mark !== "+") left++;
    if (mark !== "-") right++;
  });
  return out.map((line) => `${line}\n`).join("");
}

/** How many lines differ. */
export function differenceOf(before: string, after: string): number {
  const lines = compared(before.split("\n"), after.split("\n"));
  return lines.filter(({ mark }) => mark !== " ").length;
}

function compared(before: readonly string[], after: readonly string[]): Line[] {
  const least = Math.min(before.length, after.length);
  let head = 0;
  while (head < least && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < least - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const same = (text: string): Line => ({ mark: " ", text });
  return [
    ...before.slice(0, head).map(same),
    ...edits(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** By a longest common subsequence, found by dynamic programming from the end. */
function edits(before: readonly string[], after: readonly string[]): Line[] {
  const removed = (text: string): Line => ({ mark: "-", text });
  const added = (text: string): Line => ({ mark: "+", text });
  if (before.length * after.length > MOST_PAIRS)
    return [...before.map(removed), ...after.map(added)];
  const width = after.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  const common = (left: number, right: number) => longest[left * width + right] ?? 0;
  for (let left = before.length - 1; left >= 0; left--) {
    for (let right = after.length - 1; right >= 0; right--) {
      longest[left * width + right] =
        before[left] === after[right]
          ? common(left + 1, right + 1) + 1
          : Math.max(common(left + 1, right), common(left, right + 1));
    }
  }
  const lines: Line[] = [];
  let [left, right] = [0, 0];
  while (left < before.length || right < after.length) {
    const [old, now] = [before[left], after[right]];
    if (old !== undefined && old === now) {
      lines.push({ mark: " ", text: old });
      left++;
      right++;
    } else if (
      old !== undefined &&
      (now === undefined || common(left + 1, right) >= common(left, right + 1))
    ) {
      lines.push(removed(old));
      left++;
    } else if (now !== undefined) {
      lines.push(added(now));
      right++;
    }
  }
  return lines;
}
