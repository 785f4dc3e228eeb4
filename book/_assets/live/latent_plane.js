// @ts-check
/** Drag a point through two of the VAE's latents; the decoder draws what stands there. */

import { button, choice, element, slider, spoken, twoDigits } from "./knobs.js";
import { clamp, drawCode, gaussian, largestFirst, planeCodes } from "./maths.js";
import { load, read } from "./networks.js";
import { paint, sheet } from "./pictures.js";
import { frames, open } from "./stage.js";

const LATENTS = 16;
const REACH = 3; // the prior's own scale: 99.7 % of a latent's draws lie within
const STEPS = 13;
const KEYS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-0.1, 0],
  ArrowRight: [0.1, 0],
  ArrowUp: [0, 0.1],
  ArrowDown: [0, -0.1],
});

await open(async (stage) => {
  const { facts, networks } = await load({
    vae_decoder: { z: [LATENTS] },
    judge: { x: [1, 16, 16] },
  });
  const order = largestFirst(facts.nats);
  const draw = gaussian(1);
  let axes = /** @type {[number, number]} */ ([order[0], order[1]]);
  let z = new Float32Array(LATENTS);
  let mapIsOld = true;

  const map = sheet(STEPS, STEPS, "");
  const handle = element("span", { class: "live-handle", tabindex: "0", role: "slider" });
  handle.setAttribute("aria-label", "The point; the arrow keys move it across and up");
  const plane = element("div", { class: "live-plane" }, map, handle);
  const picture = sheet(1, 1, "");
  const { line, say } = spoken();

  const across = slider("Across", { min: -REACH, max: REACH, step: 0.05, value: 0 }, (value) =>
    move(value, z[axes[1]])
  );
  const up = slider("Up", { min: -REACH, max: REACH, step: 0.05, value: 0 }, (value) =>
    move(z[axes[0]], value)
  );
  const names = order.map((axis) => /** @type {[string, string]} */ ([
    `${axis}`,
    `${axis}: ${facts.nats[axis].toFixed(2)} nats`,
  ]));
  const turn = (/** @type {0 | 1} */ which) => (/** @type {string} */ value) => {
    const [other, old] = [axes[1 - which], axes[which]];
    axes[which] = Number(value);
    if (axes[which] === other) axes[1 - which] = old; // two different axes, always
    renew();
  };
  const acrossAxis = choice("Across goes latent", names, `${axes[0]}`, turn(0));
  const upAxis = choice("Up goes latent", names, `${axes[1]}`, turn(1));
  const starts = facts.examples.digits.slice(0, 10).map(
    (digit, k) => /** @type {[string, string]} */ ([`${k}`, `the code of a ${digit}`])
  );
  const start = choice("Start from", [["zero", "zero, the middle"], ...starts], "zero", (value) =>
    begin(value === "zero" ? new Float32Array(LATENTS) : facts.examples.codes[Number(value)])
  );
  const chance = button("A code by chance", () => begin(drawCode(draw, LATENTS)));

  /** @param {Float32Array | number[]} code */
  function begin(code) {
    z = Float32Array.from(code);
    renew();
  }

  function renew() {
    acrossAxis.set(`${axes[0]}`);
    upAxis.set(`${axes[1]}`);
    mapIsOld = true;
    move(z[axes[0]], z[axes[1]]);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  function move(x, y) {
    z[axes[0]] = clamp(x, -REACH, REACH);
    z[axes[1]] = clamp(y, -REACH, REACH);
    across.set(z[axes[0]]);
    up.set(z[axes[1]]);
    show();
  }

  async function frame() {
    if (mapIsOld) {
      mapIsOld = false;
      const { x } = await networks.vae_decoder({ z: planeCodes(z, axes, STEPS, REACH) });
      paint(map, x);
      map.setAttribute("aria-label", `Map of digits over latents ${axes[0]} and ${axes[1]}`);
    }
    const [x, y] = [z[axes[0]], z[axes[1]]];
    const { x: drawn } = await networks.vae_decoder({ z: z.slice() });
    paint(picture, drawn);
    const { digit, share } = await read(networks.judge, drawn);
    // the map's first and last pictures are centred on -REACH and REACH
    handle.style.left = `${(50 * (x / REACH) * (STEPS - 1)) / STEPS + 50}%`;
    handle.style.top = `${50 - (50 * (y / REACH) * (STEPS - 1)) / STEPS}%`;
    handle.setAttribute("aria-valuenow", x.toFixed(2));
    handle.setAttribute("aria-valuetext", `across ${twoDigits(x)}, up ${twoDigits(y)}`);
    const seen = `The judge reads a ${digit} and is ${Math.round(100 * share)}\u00a0% sure.`;
    picture.setAttribute("aria-label", `The picture at the point. ${seen}`);
    say(seen);
  }
  const show = frames(frame);

  const follow = (/** @type {PointerEvent} */ event) => {
    const box = map.getBoundingClientRect();
    const wide = (2 * REACH * STEPS) / (STEPS - 1);
    move(
      ((event.clientX - box.left) / box.width - 0.5) * wide,
      (0.5 - (event.clientY - box.top) / box.height) * wide
    );
  };
  plane.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (!event.isPrimary) return; // a second finger would tear the point to and fro
    plane.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    follow(event);
    event.preventDefault();
  });
  plane.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (event.isPrimary && plane.hasPointerCapture(event.pointerId)) follow(event);
  });
  handle.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = KEYS[event.key];
    if (!step) return;
    move(z[axes[0]] + step[0], z[axes[1]] + step[1]);
    event.preventDefault();
  });

  const side = element("div", { class: "live-side" }, picture, line, across.row, up.row);
  const knobs = element("div", { class: "live-knobs" }, acrossAxis.row, upAxis.row, start.row, chance);
  stage.append(element("div", { class: "live-pair" }, plane, side), knobs);
  await frame();
});
