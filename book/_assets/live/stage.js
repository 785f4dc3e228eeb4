// @ts-check
/** Where a live page plays: the still picture gives way when the first frame stands. */

import { element } from "./knobs.js";

const RUNTIME_COMES = "The network is on its way: 14 MB the first time.";

/**
 * Fill the page's stage. Its still stays where something fails, with a sentence that says so.
 * @param {(stage: HTMLElement) => Promise<void>} play builds the page and draws its first frame
 * @param {string} coming what the page says until then
 */
export async function open(play, coming = RUNTIME_COMES) {
  const place = /** @type {HTMLElement} */ (document.querySelector(".live"));
  const notice = element("p", { class: "live-notice", role: "status" });
  notice.textContent = coming;
  const stage = element("div", { class: "live-stage", hidden: "" });
  place.append(notice, stage);
  try {
    await play(stage);
  } catch (error) {
    notice.textContent =
      "Nothing moves here: this browser, or this copy of the book, cannot run the network.";
    console.warn(error);
    return;
  }
  stage.hidden = false;
  notice.textContent = "";
  place.classList.add("live-on");
  performance.mark("live:ready");
}

/**
 * Return a function that asks for a new frame. Requests during a frame become one more frame, so
 * that a slow machine skips frames and never falls behind.
 * @param {() => Promise<void>} draw
 * @param {(error: unknown) => void} [failed]
 */
export function frames(draw, failed = console.error) {
  let busy = false;
  let again = false;
  const frame = async () => {
    again = false;
    const start = performance.now();
    try {
      await draw();
      performance.measure("live:frame", { start });
    } catch (error) {
      failed(error);
    }
    if (again) requestAnimationFrame(frame);
    else busy = false;
  };
  return () => {
    again = true;
    if (busy) return;
    busy = true;
    requestAnimationFrame(frame);
  };
}
