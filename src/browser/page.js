/*
 * Shared by both pages: sending requests, showing refusals, and replacing what the server renders.
 */

/** Shown when no answer came. The outcome of the request is unknown. */
const UNKNOWN = {
  code: "UNREACHABLE",
  message: "The connection was lost",
  hint: "Try again. Nothing is done twice.",
};

const STRANGER = {
  message: "This browser is no longer recognised",
  hint: "Reload the page. If that does not help, allow this site to keep cookies.",
};

const UNAVAILABLE = {
  message: "Your request cannot be answered right now",
  hint: "Try again in a moment. Nothing is done twice.",
};

/**
 * Texts for visitors, for codes whose messages are written for programs.
 *
 * @type {{ [code: string]: { message: string, hint: string } | undefined }}
 */
const WORDS = {
  UNAUTHENTICATED: STRANGER,
  FORBIDDEN: STRANGER,
  BOOKING_NOT_ACTIVE: {
    message: "Your booking has changed in the meantime",
    hint: "This page shows its current status.",
  },
  DATABASE_BUSY: UNAVAILABLE,
  DATABASE_UNAVAILABLE: UNAVAILABLE,
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
 * }>} `known` is false if the request may or may not have had an effect; `status` is undefined if no
 *   answer came. `answer` has the fields that the pages read.
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
 * Returns the element with this id.
 *
 * @param {string} id
 */
export function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`There is no #${id}.`);
  return found;
}

/**
 * Shows the card for a refusal, and moves the focus to it.
 *
 * @param {{ code?: string, message?: string, hint?: string }} refusal
 * @param {() => void} again The action of the card's button, unless only a reload helps.
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
 * Fetches this page again, and replaces the elements with these ids.
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

/** The chosen slot, if any. */
export function chosenSlot() {
  const chosen = document.querySelector("input[name=slot]:checked");
  return chosen instanceof HTMLInputElement ? chosen : undefined;
}

/** Clears the choice, since the chosen slot is taken, and shows the slots that are free now. */
export async function chooseAgain() {
  const chosen = chosenSlot();
  if (chosen !== undefined) chosen.checked = false;
  await renew("slots").catch(() => {}); // The old list stays.
}

export function focusSlots() {
  const first = document.querySelector("input[name=slot]");
  if (first instanceof HTMLInputElement) first.focus();
}

/** Whether a request is under way. */
let busy = false;

/**
 * Runs `work` unless other work is under way, so that a double click counts once.
 *
 * @param {string} progress The text that the page shows meanwhile.
 * @param {() => Promise<void>} work
 */
export async function once(progress, work) {
  if (busy) return;
  busy = true;
  element("progress").textContent = progress;
  document.body.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
    element("progress").textContent = "";
  }
}

// A page from the back/forward cache may be outdated.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
