import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Scenario } from "../core/scenario.ts";
import type { ShrinkTree } from "./generate.ts";

/** Takes clients and operations away from a scenario. */
export type Removal<State extends Json, Op extends Operation> = (
  scenario: Scenario<State, Op>,
) => Scenario<State, Op>;

/** A scenario that fast-check shrunk, with the removals that were made to the counterexample. */
export interface ShrunkArguments<State extends Json, Op extends Operation> {
  readonly scenario: Scenario<State, Op>;
  readonly tree: ShrinkTree<Scenario<State, Op>>;
}

/**
 * The scenarios that fast-check shrinks the generated one to, one step from `tree`, each with `removal`
 * applied. Only those with the clients and the operation names of `scenario` are left; their arguments
 * and initial states are simpler. A step that changes only what `removal` takes away leads to `scenario`
 * itself: it costs no execution, so the walk continues from there.
 */
export function* shrinkArguments<State extends Json, Op extends Operation>(
  scenario: Scenario<State, Op>,
  tree: ShrinkTree<Scenario<State, Op>>,
  removal: Removal<State, Op>,
): Generator<ShrunkArguments<State, Op>> {
  const [shape, text] = [shapeOf(scenario), JSON.stringify(scenario)];
  let node: typeof tree | undefined = tree;
  while (node !== undefined) {
    let equal: typeof tree | undefined;
    for (const child of node.children()) {
      const simpler = removal(child.value);
      if (JSON.stringify(simpler) === text) {
        equal = child;
        break;
      }
      if (shapeOf(simpler) === shape) yield { scenario: simpler, tree: child };
    }
    node = equal;
  }
}

function shapeOf({ clients }: Scenario): string {
  return JSON.stringify(clients.map((operations) => operations.map(({ name }) => name)));
}
