import { AsyncLocalStorage } from "node:async_hooks";
import crypto, { webcrypto } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/*
 * Freezes the clock, and seeds the random numbers, of some code. A program that Heddle starts loads this file
 * too, so it imports nothing of Heddle.
 */

/** A clock that stands still, and random numbers that a seed determines. */
export class FrozenValues {
  /** In ms since 1970. */
  readonly time: number;
  #state: number;

  /** @param time in ISO 8601 */
  constructor(time: string, seed: string) {
    this.time = Date.parse(time);
    this.#state = hash(seed);
  }

  /** A random integer of 32 bits: SplitMix32, after Steele, Lea and Flood (OOPSLA 2014). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }

  /** A random number from 0 up to, and without, 1. */
  fraction(): number {
    return (this.next() * 2 ** 21 + (this.next() >>> 11)) / 2 ** 53;
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.next() & 0xff;
  }

  /** A UUID of version 4. */
  uuid(): string {
    const bytes = Buffer.alloc(16);
    this.fill(bytes);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = bytes.toString("hex");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
}

/** FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/). */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const character of text) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return state;
}

const context = new AsyncLocalStorage<FrozenValues>();
/** For a whole process. */
let everywhere: FrozenValues | undefined;
let installed = false;

function current(): FrozenValues | undefined {
  return context.getStore() ?? everywhere;
}

/** Runs `work`, and all that it causes, with frozen values. Other code has the clock and chance. */
export function withFrozen<T>(values: FrozenValues, work: () => T): T {
  installFreezing();
  return context.run(values, work);
}

/** Freezes a whole process; a further call seeds it anew. */
export function freezeProcess(values: FrozenValues): void {
  installFreezing();
  everywhere = values;
}

/**
 * Prepares the globals and `node:crypto`; without frozen values they work as before. Called before the code that
 * is to be frozen is loaded, it reaches functions that a package keeps a reference to. Timers, and
 * `process.hrtime`, keep the real time. Returns a function that puts everything back; if it was prepared already,
 * one that does nothing.
 */
export function installFreezing(): () => void {
  if (installed) return () => {};
  installed = true;
  const undo = [freezeClock(), seedRandomness()];
  syncBuiltinESMExports();
  return () => {
    for (const restore of undo) restore();
    syncBuiltinESMExports();
    installed = false;
  };
}

function freezeClock(): () => void {
  const RealDate = Date;
  const { now } = RealDate;
  const elapsed = performance.now.bind(performance);
  RealDate.now = () => current()?.time ?? now();
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new globalThis.Date().toString(),
    construct: (target, args: [], newTarget) => {
      const frozen = current();
      const given = args.length === 0 && frozen !== undefined ? [frozen.time] : args;
      return Reflect.construct(target, given, newTarget) as Date;
    },
  });
  // `new Date().constructor` is the global Date.
  RealDate.prototype.constructor = globalThis.Date;
  performance.now = () => (current() === undefined ? elapsed() : 0);
  return () => {
    RealDate.now = now;
    RealDate.prototype.constructor = RealDate;
    globalThis.Date = RealDate;
    // The prototype has the real one.
    Reflect.deleteProperty(performance, "now");
  };
}

function seedRandomness(): () => void {
  const { random } = Math;
  Math.random = () => current()?.fraction() ?? random();
  const real = { ...crypto };
  const realValues = webcrypto.getRandomValues.bind(webcrypto);
  const values = (array: ArrayBufferView) => {
    const frozen = current();
    if (frozen === undefined) return realValues(array as Parameters<typeof realValues>[0]);
    frozen.fill(bytesOf(array));
    return array;
  };
  const uuid = (options?: crypto.RandomUUIDOptions) =>
    current()?.uuid() ?? real.randomUUID(options);
  const seeded = {
    randomUUID: uuid,
    randomBytes: (size: number, done?: (error: Error | null, bytes: Buffer) => void) => {
      const frozen = current();
      if (frozen === undefined) return done ? real.randomBytes(size, done) : real.randomBytes(size);
      const bytes = Buffer.alloc(size);
      frozen.fill(bytes);
      if (done === undefined) return bytes;
      setImmediate(done, null, bytes);
      return undefined;
    },
    randomFillSync: (array: ArrayBufferView, ...range: number[]) => {
      const frozen = current();
      if (frozen === undefined) return real.randomFillSync(array as Uint8Array, ...range);
      const [from = 0, size] = range;
      frozen.fill(bytesOf(array).subarray(from, size === undefined ? undefined : from + size));
      return array;
    },
    randomInt: (...given: unknown[]) => {
      const frozen = current();
      const done = given.at(-1);
      if (frozen === undefined) return Reflect.apply(real.randomInt, crypto, given) as number;
      const [a = 0, b] = given.filter((part) => typeof part === "number");
      const [min, max] = b === undefined ? [0, a] : [a, b];
      const value = min + Math.floor(frozen.fraction() * (max - min));
      if (typeof done !== "function") return value;
      setImmediate(done as (error: null, value: number) => void, null, value);
      return undefined;
    },
  };
  const define = (functions: object, of: object) => {
    for (const [name, value] of Object.entries(functions)) {
      Object.defineProperty(of, name, { value, configurable: true, writable: true });
    }
  };
  define(seeded, crypto);
  // `crypto.getRandomValues` leads here. The prototype has the real ones.
  const web = { getRandomValues: values, randomUUID: uuid };
  define(web, webcrypto);
  return () => {
    Math.random = random;
    const { randomUUID, randomBytes, randomFillSync, randomInt } = real;
    define({ randomUUID, randomBytes, randomFillSync, randomInt }, crypto);
    for (const name of Object.keys(web)) Reflect.deleteProperty(webcrypto, name);
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
