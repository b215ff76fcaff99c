import { describe, expect, test } from "vitest";
import { conclusions, type LayerCase, type PromiseLayers } from "./layers.ts";

/** A promise with these protections, and its outcome without some of them. */
function layers(names: string, cases: { readonly [without: string]: LayerCase["outcome"] }) {
  const list = (text: string) => text.split("").filter((it) => it !== " ");
  return {
    name: "promise",
    statement: "",
    rules: [],
    pairs: [],
    protections: list(names).map((name) => ({ name, description: "", without: [] })),
    cases: Object.entries(cases).map(([without, outcome]) => ({
      ...{ without: list(without), outcome },
      ...{ reason: null, executions: 1, counterexample: null },
    })),
  } satisfies PromiseLayers;
}

const [holds, breaks] = ["holds", "breaks"] as const;

describe("conclusions", () => {
  test.each([
    [
      layers("ABC", {
        " ": holds,
        ...{ A: holds, B: holds, C: holds, AB: holds, AC: holds, BC: holds },
        ABC: breaks,
      }),
      [
        "It holds with all of its protections in place.",
        "Any one of these 3 layers suffices.",
        "Without all of them it breaks.",
      ],
    ],
    [
      layers("AB", { " ": holds, A: holds, B: holds, BA: breaks }),
      [
        "It holds with all of its protections in place.",
        "Any one of these 2 layers suffices.",
        "Without all of them it breaks.",
      ],
    ],
    [
      layers("AB", { " ": holds, A: breaks, B: holds, AB: breaks }),
      [
        "It holds with all of its protections in place.",
        "By itself A suffices.",
        "Without A it breaks, whatever else is there.",
      ],
    ],
    [
      layers("ABC", {
        " ": holds,
        ...{ A: holds, B: holds, C: holds, AB: holds, AC: breaks, BC: breaks },
        ABC: breaks,
      }),
      [
        "It holds with all of its protections in place.",
        "By itself C suffices.",
        "Without A and C it breaks.",
        "Without B and C it breaks.",
      ],
    ],
    [
      layers("A", { " ": holds, A: holds }),
      [
        "It holds with all of its protections in place.",
        "It holds without all of them: within the bound, something else protects it.",
      ],
    ],
    [
      layers("A", { " ": holds, A: breaks }),
      [
        "It holds with all of its protections in place.",
        "Without A it breaks, whatever else is there.",
      ],
    ],
    [layers("A", { " ": breaks, A: breaks }), ["It breaks with all of its protections in place."]],
    [
      layers("AB", { " ": holds, A: "unknown", B: holds, AB: breaks }),
      [
        "It holds with all of its protections in place.",
        "By itself A suffices.",
        "Without all of them it breaks.",
        "1 of 4 cases could not be decided.",
      ],
    ],
  ])("%#", (promise, expected) => {
    expect(conclusions(promise)).toEqual(expected);
  });
});
