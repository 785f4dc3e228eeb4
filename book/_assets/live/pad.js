// @ts-check
/** A pad to draw on: mouse, finger, pen, or the arrow keys and the space bar. */

import { element } from "./knobs.js";
import { clamp } from "./maths.js";
import { PIXELS, SIDE, toBytes } from "./pictures.js";

const FINE = 8; // the pad has 8 x 8 points for each pixel of the picture
const BREADTH = 1.6 * FINE; // of a stroke: as bold as the digits that the networks know
const KEYS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
});

/**
 * Return grey values in [-1, 1] of a picture from the bytes of a finer one, by averages.
 * @param {Uint8ClampedArray} bytes four a point
 * @returns {Float32Array}
 */
export function coarse(bytes) {
  const values = new Float32Array(PIXELS).fill(-1);
  for (let point = 0; point * 4 < bytes.length; point++) {
    const row = Math.floor(point / (SIDE * FINE) / FINE);
    const column = Math.floor((point % (SIDE * FINE)) / FINE);
    values[row * SIDE + column] += bytes[4 * point] / 127.5 / FINE ** 2;
  }
  return values;
}

/**
 * Make a pad.
 * @param {(picture: Float32Array) => void} changed gets the drawing in [-1, 1]
 * @param {(text: string) => void} say
 */
export function pad(changed, say) {
  const canvas = element("canvas", { class: "live-pad", tabindex: "0", role: "application" });
  canvas.setAttribute(
    "aria-label",
    "Pad to draw on. The arrow keys move the pen, the space bar puts it down and lifts it."
  );
  canvas.width = canvas.height = SIDE * FINE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const cursor = element("span", { class: "live-pen", "aria-hidden": "true" });
  const made = element("div", { class: "live-plane" }, canvas, cursor);
  let pen = { x: (SIDE * FINE) / 2, y: (SIDE * FINE) / 2 };
  let down = false;

  /** @param {{x: number, y: number}} to */
  function go(to) {
    if (down) {
      context.lineWidth = BREADTH;
      context.lineCap = "round";
      context.strokeStyle = "#fff";
      context.beginPath();
      context.moveTo(pen.x, pen.y);
      context.lineTo(to.x + 0.01, to.y); // a line of no length would leave no dot
      context.stroke();
      changed(coarse(context.getImageData(0, 0, canvas.width, canvas.height).data));
    }
    pen = to;
    cursor.style.left = `${(100 * pen.x) / canvas.width}%`;
    cursor.style.top = `${(100 * pen.y) / canvas.height}%`;
    cursor.classList.toggle("live-pen-down", down);
  }

  /** @param {Float32Array} picture */
  function put(picture) {
    const small = element("canvas");
    small.width = small.height = SIDE;
    small.getContext("2d").putImageData(new ImageData(toBytes(picture), SIDE, SIDE), 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    changed(picture);
  }

  const place = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * canvas.width,
      y: ((event.clientY - box.top) / box.height) * canvas.height,
    };
  };
  canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (!event.isPrimary) return; // a second finger has no pen
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    pen = place(event);
    down = true;
    go(pen);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    // a finger is captured by itself, the second one too
    if (event.isPrimary && canvas.hasPointerCapture(event.pointerId)) go(place(event));
  });
  const lift = (/** @type {PointerEvent} */ event) => {
    if (!event.isPrimary) return;
    down = false;
    go(pen);
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = KEYS[event.key];
    if (event.key === " ") {
      down = !down;
      go(pen);
      say(down ? "The pen is down." : "The pen is up.");
    } else if (step) {
      const inside = (/** @type {number} */ value) => clamp(value, 0, SIDE * FINE);
      go({ x: inside(pen.x + step[0] * FINE), y: inside(pen.y + step[1] * FINE) });
    } else return;
    event.preventDefault();
  });
  return { made, put, clear: () => put(new Float32Array(PIXELS).fill(-1)) };
}
