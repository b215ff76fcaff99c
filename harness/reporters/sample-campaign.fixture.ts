import type { Campaign } from "../explorer/campaign.ts";
import { deadlock, doubleBooking, hashes } from "../explorer/sample-counterexample.fixture.ts";

const rule = (checker: string, name: string, description: string, checked: number) => ({
  ...{ checker, name, description, checked },
  violated: 0,
});

export const passing: Campaign = {
  service: "booking",
  mutant: null,
  verdict: "pass",
  reason: null,
  seed: 1,
  strategy: "random",
  settings: {
    ...{ runs: 2000, timeMs: null, scenarios: null, pairs: false, preemptions: 2 },
    ...{ reduction: false, faults: ["cut-before", "cut-after", "cancel"] },
    ...{ checkers: ["invariant", "contract"], checkDeterminism: false, failFast: true },
  },
  control: { gates: ["statement"], isolation: "read committed" },
  clients: { min: 2, max: 4 },
  startedAt: "2026-05-04T10:20:30.000Z",
  elapsedMs: 8123.4,
  scenarios: 2000,
  executions: 2000,
  executionsPerSecond: 246.2,
  compared: 0,
  steps: 47_119,
  preemptions: 11_804,
  waits: 1933,
  deadlocks: 21,
  faults: { "cut-before": 12, "cut-after": 9 },
  mixes: { "cancel + create": 612, create: 402, "confirm + create + reschedule": 986 },
  executionsByWaits: { "0": 812, "1": 700, "2": 400, "3 or more": 88 },
  saturation: [
    { executions: 1, fingerprints: 1 },
    { executions: 500, fingerprints: 61 },
    { executions: 1000, fingerprints: 80 },
    { executions: 2000, fingerprints: 84 },
  ],
  executionsByClients: { "2": 701, "3": 655, "4": 644 },
  violations: 0,
  rules: [
    rule(
      "invariant",
      "unavailable_slot_without_booking",
      "A slot that is marked unavailable, and was not withdrawn, has an active booking.",
      2000,
    ),
    rule("invariant", "slot_with_several_bookings", "A slot has at most one active booking.", 2000),
    rule(
      "invariant",
      "booking_without_claimed_slot",
      "The slot of an active booking exists and is marked unavailable.",
      2000,
    ),
    rule(
      "invariant",
      "overlapping_bookings",
      "Active bookings of one provider do not overlap.",
      2000,
    ),
    rule("contract", "no_server_error", "No operation is answered with a 5xx.", 9871),
    rule("contract", "known_code", "Every answer has a code that the service documents.", 9871),
  ],
  responses: {
    create: { CREATED: 2411, BOOKING_CONFLICT: 1804, SLOT_NOT_FOUND: 96, SLOT_IN_PAST: 133 },
    cancel: { CANCELLED: 1603, BOOKING_NOT_ACTIVE: 842, BOOKING_NOT_FOUND: 120 },
    confirm: { CONFIRMED: 702, BOOKING_NOT_ACTIVE: 411 },
    reschedule: { RESCHEDULED: 803, BOOKING_CONFLICT: 604, BOOKING_NOT_ACTIVE: 342 },
  },
  patterns: [
    {
      name: "same-slot",
      description: "Two clients want one slot.",
      scenarios: 1330,
      share: 0.665,
      threshold: 0.4,
      missed: false,
    },
    {
      name: "overlapping-slots",
      description: "Two clients want slots that overlap.",
      scenarios: 522,
      share: 0.261,
      threshold: 0.15,
      missed: false,
    },
    {
      name: "crossing-reschedules",
      description: "Two reschedules swap their slots.",
      scenarios: 87,
      share: 0.0435,
      threshold: 0.05,
      missed: true,
    },
    {
      name: "repeated-key",
      description: "Two creates carry one idempotency key.",
      scenarios: 310,
      share: 0.155,
      threshold: 0.1,
      missed: false,
    },
  ],
  pairs: [{ name: "create × cancel", explored: 148, pruned: null, complete: true, outcomes: 3 }],
  regressions: [{ file: "regressions/lost-1a2b3c4d.json", rule: "lost", outcome: "fixed" }],
  serviceLog: "reports/service.log",
  counterexamples: [],
  coverage: ["All 148 interleavings with at most 2 preemptions of 4 scenarios were executed."],
  controlled: [
    "The order in which the server runs the statements of the service, and in which results return.",
    "The initial state, the operations, and the texts and names in them.",
  ],
  ungated: [],
  uncontrolled: [
    "What happens inside one statement, function or trigger.",
    "Which of several sessions that wait for one lock gets it first, when a commit wakes more than one.",
    "The clock of the server and of the service.",
  ],
  environment: {
    heddle: "0.1.0",
    node: "24.21.0",
    platform: "linux x64",
    cpus: 2,
    postgres: { provider: "embedded", version: "18.4", lockWaits: "pushed" },
  },
  hashes,
  routines: {
    "public.cancel_booking(bigint,text)":
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  },
  digest: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
};

const violated = new Map([
  ["slot_with_several_bookings", 1],
  ["overlapping_bookings", 1],
  ["no_server_error", 1],
]);

export const failing: Campaign = {
  ...passing,
  mutant: "check-then-insert",
  verdict: "fail",
  scenarios: 112,
  executions: 112,
  elapsedMs: 1804,
  executionsPerSecond: 62.1,
  executionsByClients: { "2": 40, "3": 31, "4": 41 },
  violations: 2,
  rules: passing.rules.map((r) => ({ ...r, checked: 112, violated: violated.get(r.name) ?? 0 })),
  responses: { ...passing.responses, create: { CREATED: 240, INTERNAL_ERROR: 1 } },
  counterexamples: [doubleBooking, deadlock],
};

export const interrupted: Campaign = {
  ...passing,
  verdict: "unknown",
  reason: "interrupted by SIGINT",
  scenarios: 1,
  executions: 1,
};
