/*
 * What both pages share: sending, showing what went wrong, and renewing what the server renders.
 */

/** No answer came, so that nobody knows what became of the request. */
const UNKNOWN = {
  code: "UNREACHABLE",
  message: "The connection was lost",
  hint: "Try again: nothing is done twice.",
};

const STRANGER = {
  message: "You are not known here any more",
  hint: "Reload the page. If that does not help, allow this site to keep cookies.",
};

/**
 * What is said to people where a refusal has words for programs.
 *
 * @type {{ [code: string]: { message: string, hint: string } | undefined }}
 */
const WORDS = {
  UNAUTHENTICATED: STRANGER,
  FORBIDDEN: STRANGER,
  BOOKING_NOT_ACTIVE: {
    message: "Your booking has changed meanwhile",
    hint: "What has become of it is shown here.",
  },
  DATABASE_UNAVAILABLE: {
    message: "Your request cannot be answered right now",
    hint: "Try again in a moment: nothing is done twice.",
  },
};

/**
 * Sends JSON; never rejects.
 *
 * @param {string} path
 * @param {object} body
 * @returns {Promise<{
 *   ok: boolean,
 *   known: boolean,
 *   status?: number,
 *   answer: {
 *     code?: string, message?: string, hint?: string,
 *     booking?: { id: number }, payment?: { payUrl: string }
 *   }
 * }>} `known` is false where the request may have had an effect or not; `status` is undefined where
 *   no answer came. Of the answer, what the pages read: the words of a refusal, or what was made.
 */
export async function send(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return {
      ok: response.ok,
      known: response.status < 500,
      status: response.status,
      answer: await response.json(),
    };
  } catch {
    return { ok: false, known: false, answer: UNKNOWN };
  }
}

/**
 * The element with this id, which the server renders.
 *
 * @param {string} id
 */
export function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`There is no #${id}.`);
  return found;
}

/**
 * Shows the card for a refusal, and moves the focus there.
 *
 * @param {{ code?: string, message?: string, hint?: string }} refusal
 * @param {() => void} again What its button does, unless only a reload helps.
 */
export function showCard(refusal, again) {
  hideCards();
  const { code = "" } = refusal;
  const words = WORDS[code];
  const { message = "", hint = "" } = words ?? refusal;
  const isConflict = code === "BOOKING_CONFLICT";
  const card = element(isConflict ? "conflict" : "problem");
  text(card, "[data-message]", isConflict ? "That time was just taken" : message);
  text(card, "[data-hint]", isConflict ? `${message}. ${hint}` : hint);
  const button = card.querySelector("button");
  if (button !== null) {
    const reload = words === STRANGER;
    if (!isConflict) button.textContent = reload ? "Reload the page" : "Try again";
    button.onclick = () => {
      hideCards();
      if (reload) location.reload();
      else again();
    };
  }
  card.hidden = false;
  card.focus();
}

export function hideCards() {
  for (const id of ["conflict", "problem"]) element(id).hidden = true;
}

/**
 * @param {Element} card
 * @param {string} selector
 * @param {string} words
 */
function text(card, selector, words) {
  const place = card.querySelector(selector);
  if (place !== null) place.textContent = words;
}

/**
 * Fetches this page again, and replaces the elements with these ids by what they are now.
 *
 * @param {string[]} ids
 */
export async function renew(...ids) {
  const response = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!response.ok) return;
  const now = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) {
    const fresh = now.getElementById(id);
    if (fresh !== null) element(id).replaceWith(fresh);
  }
}

/** The slot that is chosen; undefined if none is. */
export function chosenSlot() {
  const chosen = document.querySelector("input[name=slot]:checked");
  return chosen instanceof HTMLInputElement ? chosen : undefined;
}

/** The chosen slot is gone: shows what is free now, with nothing chosen. */
export async function chooseAgain() {
  const chosen = chosenSlot();
  if (chosen !== undefined) chosen.checked = false;
  await renew("slots").catch(() => {}); // What was shown before stays.
}

export function focusSlots() {
  const first = document.querySelector("input[name=slot]");
  if (first instanceof HTMLInputElement) first.focus();
}

/** Whether something is being sent: until it is answered, nothing else is. */
let busy = false;

/**
 * Runs `work` unless other work is under way, so that a double click is one click.
 *
 * @param {string} words What the visitor is told meanwhile.
 * @param {() => Promise<void>} work
 */
export async function once(words, work) {
  if (busy) return;
  busy = true;
  element("progress").textContent = words;
  document.body.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
    element("progress").textContent = "";
  }
}

// A page that comes back from the browser's memory is as old as when it was left.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
