import type { Faker } from "@faker-js/faker";
import { faker as english } from "@faker-js/faker/locale/en";
import { faker as japanese } from "@faker-js/faker/locale/ja";
import { faker as polish } from "@faker-js/faker/locale/pl";

/** Realistic texts: several scripts, quotes, emoji, backslashes and line breaks. */
export interface Texts {
  provider(): string;
  customer(): string;
  note(): string;
}

/** The number of texts of each kind. */
const STOCK = 256;

// Made on first use: seeding faker for each scenario took a third of the time of generating one, and a
// replay generates none.
let made: ReturnType<typeof makeStock> | undefined;

/** Returns the same texts in the same order for the same seed. */
export function seededTexts(seed: number): Texts {
  let position = seed;
  made ??= makeStock();
  const stock = made;
  const next = (texts: readonly string[]): string => texts[position++ % STOCK] ?? "";
  return {
    provider: () => next(stock.providers),
    customer: () => next(stock.customers),
    note: () => next(stock.notes),
  };
}

function makeStock() {
  for (const language of [english, japanese, polish]) language.seed(1);
  const one = (...writers: readonly (() => string)[]): string =>
    english.helpers.arrayElement(writers)();
  const name = (language: Faker) => () => language.person.fullName();
  const many = (write: () => string): readonly string[] => Array.from({ length: STOCK }, write);
  return {
    providers: many(() => english.company.name()),
    customers: many(() =>
      one(name(english), name(english), nickname, name(japanese), name(polish)),
    ),
    notes: many(() => one(() => "", slogan, reminder, hostile)),
  };
}

function nickname(): string {
  const { person, hacker } = english;
  return `${person.firstName()} "${hacker.noun()}" O'${person.lastName()}`;
}

function slogan(): string {
  return `${english.company.catchPhrase()} ${english.internet.emoji()}`;
}

function reminder(): string {
  return `Don't forget: "${english.food.dish()}"`;
}

function hostile(): string {
  return `${english.word.noun()}\\${english.word.noun()};\n-- ${english.lorem.words(2)}`;
}
