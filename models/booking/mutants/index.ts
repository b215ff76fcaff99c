import { HarnessError } from "../../../harness/index.ts";
import { advisoryLockLeak } from "./advisory-lock-leak.ts";
import { bookingsCountedByTrigger } from "./bookings-counted-by-trigger.ts";
import { cancelFreesSlotLater } from "./cancel-frees-slot-later.ts";
import { cancelFreesWithdrawnSlot } from "./cancel-frees-withdrawn-slot.ts";
import { cancelKeepsPayment } from "./cancel-keeps-payment.ts";
import { cancelLocksSlotFirst } from "./cancel-locks-slot-first.ts";
import { cancelReadsSlotBeforeLock } from "./cancel-reads-slot-before-lock.ts";
import { cancelWithoutLock } from "./cancel-without-lock.ts";
import { checkThenInsert } from "./check-then-insert.ts";
import { claimAnswersBeforeDurable } from "./claim-answers-before-durable.ts";
import { claimClosedRanges } from "./claim-closed-ranges.ts";
import { claimIgnoresAvailability } from "./claim-ignores-availability.ts";
import { claimLeavesOverlapsToConstraint } from "./claim-leaves-overlaps-to-constraint.ts";
import { claimNowait } from "./claim-nowait.ts";
import { claimShareLock } from "./claim-share-lock.ts";
import { claimSkipsLocked } from "./claim-skips-locked.ts";
import { claimThenComplete } from "./claim-then-complete.ts";
import { claimWithoutLock } from "./claim-without-lock.ts";
import { claimWithoutLockOrConstraints } from "./claim-without-lock-or-constraints.ts";
import { claimWithoutLockOrExclusion } from "./claim-without-lock-or-exclusion.ts";
import { claimWithoutLockOrUniqueIndex } from "./claim-without-lock-or-unique-index.ts";
import { confirmTrustsCustomer } from "./confirm-trusts-customer.ts";
import { connectionNotReleased } from "./connection-not-released.ts";
import { constraintsForgetPending } from "./constraints-forget-pending.ts";
import { declinedEventOverwrites } from "./declined-event-overwrites.ts";
import { expireWithoutLock } from "./expire-without-lock.ts";
import { foreignCancel } from "./foreign-cancel.ts";
import { idempotencyCheckThenInsert } from "./idempotency-check-then-insert.ts";
import { idempotencyComparesCurrentSlot } from "./idempotency-compares-current-slot.ts";
import { idempotencyConflictUnhandled } from "./idempotency-conflict-unhandled.ts";
import { idempotencyIgnoresCustomer } from "./idempotency-ignores-customer.ts";
import { idempotencyWithoutUniqueKey } from "./idempotency-without-unique-key.ts";
import { insertWhereNotExists } from "./insert-where-not-exists.ts";
import { latePaymentForgotten } from "./late-payment-forgotten.ts";
import { latePaymentTakesSlot } from "./late-payment-takes-slot.ts";
import { latePaymentWithoutLock } from "./late-payment-without-lock.ts";
import { listInTwoQueries } from "./list-in-two-queries.ts";
import { lostAnswerIsRefusal } from "./lost-answer-is-refusal.ts";
import type { BookingMutant } from "./mutant.ts";
import { nestedCheckout } from "./nested-checkout.ts";
import { noExclusionConstraint } from "./no-exclusion-constraint.ts";
import { noRollbackBeforeRelease } from "./no-rollback-before-release.ts";
import { noUniqueIndex } from "./no-unique-index.ts";
import { pastCheckOfTransactionStart } from "./past-check-of-transaction-start.ts";
import { paymentInApplication } from "./payment-in-application.ts";
import { paymentWithoutCompensation } from "./payment-without-compensation.ts";
import { paymentWithoutLock } from "./payment-without-lock.ts";
import { publishCheckThenInsert } from "./publish-check-then-insert.ts";
import { publishOffersBookedSlot } from "./publish-offers-booked-slot.ts";
import { refundKeyInMemory } from "./refund-key-in-memory.ts";
import { refundRecordedUnmade } from "./refund-recorded-unmade.ts";
import { refundWithoutIdempotencyKey } from "./refund-without-idempotency-key.ts";
import { repeatedEventRefunds } from "./repeated-event-refunds.ts";
import { rescheduleAsCancelAndCreate } from "./reschedule-as-cancel-and-create.ts";
import { rescheduleChecksBeforeLock } from "./reschedule-checks-before-lock.ts";
import { rescheduleCountsItself } from "./reschedule-counts-itself.ts";
import { rescheduleFreesOldSlotFirst } from "./reschedule-frees-old-slot-first.ts";
import { rescheduleFreesOldSlotLater } from "./reschedule-frees-old-slot-later.ts";
import { rescheduleKeepsOldSlot } from "./reschedule-keeps-old-slot.ts";
import { rescheduleLocksOldSlotFirst } from "./reschedule-locks-old-slot-first.ts";
import { rescheduleSwallowsRefusal } from "./reschedule-swallows-refusal.ts";
import { rescheduleWithoutLock } from "./reschedule-without-lock.ts";
import { retryWithoutKey } from "./retry-without-key.ts";
import { secondPaymentKept } from "./second-payment-kept.ts";
import { stalePaymentId } from "./stale-payment-id.ts";
import { statementOutsideItsTransaction } from "./statement-outside-its-transaction.ts";
import { twoStepCreate } from "./two-step-create.ts";
import { twoTransactionCancel } from "./two-transaction-cancel.ts";
import { vendorsMoveEachOther } from "./vendors-move-each-other.ts";
import { withdrawIgnoresHolds } from "./withdraw-ignores-holds.ts";
import { withdrawWithoutLock } from "./withdraw-without-lock.ts";

/** Every seeded bug by name, including those that are equivalent to the service without a bug. */
export const mutants: readonly BookingMutant[] = [
  advisoryLockLeak,
  bookingsCountedByTrigger,
  cancelFreesSlotLater,
  cancelFreesWithdrawnSlot,
  cancelKeepsPayment,
  cancelLocksSlotFirst,
  cancelReadsSlotBeforeLock,
  cancelWithoutLock,
  checkThenInsert,
  claimAnswersBeforeDurable,
  claimClosedRanges,
  claimIgnoresAvailability,
  claimLeavesOverlapsToConstraint,
  claimNowait,
  claimShareLock,
  claimSkipsLocked,
  claimThenComplete,
  claimWithoutLockOrConstraints,
  claimWithoutLockOrExclusion,
  claimWithoutLockOrUniqueIndex,
  claimWithoutLock,
  confirmTrustsCustomer,
  connectionNotReleased,
  constraintsForgetPending,
  declinedEventOverwrites,
  expireWithoutLock,
  foreignCancel,
  idempotencyCheckThenInsert,
  idempotencyComparesCurrentSlot,
  idempotencyConflictUnhandled,
  idempotencyIgnoresCustomer,
  idempotencyWithoutUniqueKey,
  insertWhereNotExists,
  latePaymentForgotten,
  latePaymentTakesSlot,
  latePaymentWithoutLock,
  listInTwoQueries,
  lostAnswerIsRefusal,
  nestedCheckout,
  noExclusionConstraint,
  noRollbackBeforeRelease,
  noUniqueIndex,
  pastCheckOfTransactionStart,
  paymentInApplication,
  paymentWithoutCompensation,
  paymentWithoutLock,
  publishCheckThenInsert,
  publishOffersBookedSlot,
  refundKeyInMemory,
  refundRecordedUnmade,
  refundWithoutIdempotencyKey,
  repeatedEventRefunds,
  rescheduleAsCancelAndCreate,
  rescheduleChecksBeforeLock,
  rescheduleCountsItself,
  rescheduleFreesOldSlotFirst,
  rescheduleFreesOldSlotLater,
  rescheduleKeepsOldSlot,
  rescheduleLocksOldSlotFirst,
  rescheduleSwallowsRefusal,
  rescheduleWithoutLock,
  retryWithoutKey,
  secondPaymentKept,
  stalePaymentId,
  statementOutsideItsTransaction,
  twoStepCreate,
  twoTransactionCancel,
  vendorsMoveEachOther,
  withdrawIgnoresHolds,
  withdrawWithoutLock,
];

/** @throws HarnessError USAGE if no seeded bug has this name. */
export function mutantNamed(name: string): BookingMutant {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant !== undefined) return mutant;
  const names = mutants.map((one) => one.name).join(", ");
  throw new HarnessError("USAGE", `There is no mutant "${name}": choose one of ${names}.`);
}
