import { expect, test } from "vitest";
import type { Audit } from "../audit/audit-report.ts";
import { auditJunit, auditPrometheus, auditText } from "./audit.ts";

const failed: Audit = {
  database: 'db.example:5432/"shop"',
  postgres: "18.4",
  startedAt: "2026-05-04T10:20:30.000Z",
  elapsedMs: 1500,
  verdict: "fail",
  reason: null,
  checks: [
    {
      ...{ source: "verify_slots", name: "lost", verdict: "pass", violations: 0 },
      ...{ details: null, offending: [] },
    },
    {
      ...{ source: "verify_slots", name: "twice_booked", verdict: "fail", violations: 3 },
      ...{ details: "Slot <1>", offending: [{ slot_id: 1 }, { slot_id: 2 }] },
    },
  ],
};

const unknown: Audit = {
  ...failed,
  ...{ verdict: "unknown", reason: "canceled (SQLSTATE 57014)", checks: [] },
};

test("text", () => {
  expect(auditText(failed, false)).toBe(`\
audit of db.example:5432/"shop", PostgreSQL 18.4, 2026-05-04T10:20:30.000Z
PASS  lost          0 violations
FAIL  twice_booked  3 violations
      Slot <1>
      slot_id=1
      slot_id=2
      and 1 more
FAIL in 1.5 s
`);
  expect(auditText(unknown, false)).toContain("UNKNOWN in 1.5 s: canceled (SQLSTATE 57014)\n");
});

test("Prometheus", () => {
  const lines = auditPrometheus(failed)
    .split("\n")
    .filter((line) => !line.startsWith("#"));
  const database = 'database="db.example:5432/\\"shop\\""';
  expect(lines).toEqual([
    `heddle_audit_violations{${database},function="verify_slots",check="lost"} 0`,
    `heddle_audit_violations{${database},function="verify_slots",check="twice_booked"} 3`,
    `heddle_audit_passed{${database}} 0`,
    `heddle_audit_complete{${database}} 1`,
    `heddle_audit_duration_seconds{${database}} 1.5`,
    `heddle_audit_timestamp_seconds{${database}} 1777890030`,
    "",
  ]);
  expect(auditPrometheus(unknown)).toContain(`heddle_audit_complete{${database}} 0`);
  expect(auditPrometheus(unknown)).toContain(`heddle_audit_passed{${database}} 0`);
});

test("JUnit", () => {
  const xml = auditJunit(failed);
  expect(xml).toContain('tests="3" failures="1" errors="0" skipped="0" time="1.500"');
  expect(xml).toContain('<testcase name="lost" classname="heddle.audit.verify_slots"/>');
  expect(xml).toContain('<failure message="Slot &lt;1&gt;">slot_id=1\nslot_id=2</failure>');
  expect(auditJunit(unknown)).toContain('<error message="canceled (SQLSTATE 57014)"></error>');
});
