import { randomBytes } from "node:crypto";

/**
 * The password of every port of this process, random and never printed. It is one and the same for all, so
 * that one environment variable can offer it.
 */
export const PORT_PASSWORD = randomBytes(16).toString("hex");

const VARIABLE = "PGPASSWORD";

let offers = 0;
let before: string | undefined;

/**
 * Offers the password to code in this process, and to programs that it starts, as `PGPASSWORD`: drivers
 * take it for a client that takes only the host, the port, the user and the database from its URL.
 *
 * @returns a function that ends the offer; the variable is as it was once all offers have ended
 */
export function offerPortPassword(): () => void {
  if (offers === 0) before = process.env[VARIABLE];
  offers++;
  process.env[VARIABLE] = PORT_PASSWORD;
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    offers--;
    if (offers > 0) return;
    if (before === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = before;
  };
}
