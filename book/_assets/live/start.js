// @ts-check
/** The start page's sample: press a digit, and forty new ones are drawn, without any runtime. */

import { generate, unpackGenerator } from "./generator.js";
import { button, element } from "./knobs.js";
import { drawCode, gaussian } from "./maths.js";
import { paint, PIXELS, sheet } from "./pictures.js";
import { open } from "./stage.js";

const NOISE = 32;
const COLUMNS = 10;
const ROWS = 4;
const COUNT = COLUMNS * ROWS;
const DRAWING = 8; // milliseconds of a frame
const NAMES = ["zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines"];

/**
 * Return what to draw: noise and digit of each picture, row by row.
 * @param {() => number} draw
 * @param {number | null} digit none asks for all ten, each row in one hand
 */
function requests(draw, digit) {
  const hands = Array.from({ length: digit === null ? ROWS : COUNT }, () => drawCode(draw, NOISE));
  return Array.from({ length: COUNT }, (_, k) =>
    digit === null
      ? { noise: hands[Math.floor(k / COLUMNS)], digit: k % COLUMNS }
      : { noise: hands[k], digit }
  );
}

await open(async (stage) => {
  const answer = await fetch(new URL("./models/cgan.json", import.meta.url));
  const generator = unpackGenerator(await answer.json());
  const still = /** @type {HTMLImageElement} */ (document.querySelector(".live-still"));
  await still.decode();

  const canvas = sheet(COLUMNS, ROWS, still.alt);
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.imageSmoothingEnabled = false; // the still has whole squares for pixels
  pen.drawImage(still, 0, 0, canvas.width, canvas.height);
  const line = element("p", { class: "live-spoken", role: "status" });
  const draw = gaussian(Date.now()); // other digits on each visit
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const pictures = new Float32Array(COUNT * PIXELS);
  let asked = /** @type {number | null} */ (null);
  let waiting = 0; // the next frame

  const keys = NAMES.map((_, digit) => button(`${digit}`, () => ask(digit)));
  const all = button("All ten", () => ask(null));
  const fresh = button("Draw new ones", () => ask(asked));

  /** @param {number | null} digit */
  function ask(digit) {
    asked = digit;
    mark();
    cancelAnimationFrame(waiting); // a quick second press begins anew
    const wanted = requests(draw, digit);
    let done = 0;
    let spent = 0;

    function frame() {
      const start = performance.now();
      for (; done < COUNT && performance.now() - start < DRAWING; done++)
        pictures.set(generate(generator, wanted[done].noise, wanted[done].digit), done * PIXELS);
      if (done === COUNT || !calm.matches) paint(canvas, pictures.subarray(0, done * PIXELS));
      spent += performance.now() - start;
      performance.measure("live:frame", { start });
      if (done < COUNT) waiting = requestAnimationFrame(frame);
      else tell(digit, spent);
    }
    waiting = requestAnimationFrame(frame);
  }

  function mark() {
    for (const [digit, key] of keys.entries()) key.setAttribute("aria-pressed", `${digit === asked}`);
    all.setAttribute("aria-pressed", `${asked === null}`);
  }

  /**
   * @param {number | null} digit
   * @param {number} spent milliseconds
   */
  function tell(digit, spent) {
    const drawn = digit === null ? "Four new drawings of each digit" : `Forty new ${NAMES[digit]}`;
    canvas.setAttribute("aria-label", `${drawn}, no two alike`);
    line.textContent = `${drawn}: your browser made them from noise, in ${Math.round(spent)} milliseconds.`;
  }

  line.textContent = "Press a digit: the network draws it, here in your browser.";
  stage.append(
    canvas,
    element("div", { class: "live-digits", role: "group", "aria-label": "Digit to draw" }, ...keys),
    element("div", { class: "live-ask" }, all, fresh, line)
  );
  stage.addEventListener("keydown", (event) => {
    if (!/^[0-9]$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
    keys[Number(event.key)].focus();
    ask(Number(event.key));
  });
  mark();
}, "");
