// @ts-check
/** Ask the conditional GAN for a digit, walk through its noise, and cut the noise off. */

import { button, element, slider, spoken, twoDigits } from "./knobs.js";
import { drawCode, gaussian, slerp, truncated, variety } from "./maths.js";
import { load, read } from "./networks.js";
import { paint, PIXELS, sheet } from "./pictures.js";
import { frames, open } from "./stage.js";

const NOISE = 32;
const COLUMNS = 6;
const ROWS = 4;
const STEP = 0.02; // of the way to the next noise, each frame of a walk
const DIGITS = Array.from({ length: 10 }, (_, digit) => digit);

await open(async (stage) => {
  const { networks } = await load({ cgan: { z: [NOISE], y: [] }, judge: { x: [1, 16, 16] } });
  const draw = gaussian(7);
  let digit = 7;
  let limit = 3;
  let [here, there] = [drawCode(draw, NOISE), drawCode(draw, NOISE)];
  let way = 0;
  let walking = false;
  let crowd = Array.from({ length: COLUMNS * ROWS }, () => drawCode(draw, NOISE));
  let crowdIsOld = true;

  const picture = sheet(1, 1, "");
  const many = sheet(COLUMNS, ROWS, "");
  const { line, say } = spoken();
  const spread = element("p", { class: "live-number" });

  const keys = DIGITS.map((which) => {
    const key = button(`${which}`, () => ask(which));
    key.setAttribute("aria-pressed", `${which === digit}`);
    return key;
  });
  const row = element("div", { class: "live-digits", role: "group", "aria-label": "Digit" }, ...keys);
  const walk = slider("Way", { min: 0, max: 1, step: 0.01, value: 0 }, (value) => {
    way = value;
    show();
  });
  const cut = slider("Truncation", { min: 0.1, max: 3, step: 0.05, value: limit }, (value) => {
    limit = value;
    crowdIsOld = true;
    show();
  });
  const go = button("Walk", () => {
    walking = !walking;
    go.textContent = walking ? "Stand" : "Walk";
    show();
  });
  const fresh = button("New noise", () => {
    [here, there, way] = [drawCode(draw, NOISE), drawCode(draw, NOISE), 0];
    crowd = crowd.map(() => drawCode(draw, NOISE));
    crowdIsOld = true;
    walk.set(way);
    show();
  });

  /** @param {number} which */
  function ask(which) {
    digit = which;
    for (const [k, key] of keys.entries()) key.setAttribute("aria-pressed", `${k === digit}`);
    crowdIsOld = true;
    show();
  }

  function stepOn() {
    way += STEP;
    if (way > 1) [here, there, way] = [there, drawCode(draw, NOISE), 0];
    walk.set(way);
  }

  /** @param {Float32Array[]} codes */
  async function generate(codes) {
    const z = new Float32Array(codes.length * NOISE);
    codes.forEach((code, k) => z.set(truncated(code, limit), k * NOISE));
    const y = new BigInt64Array(codes.length).fill(BigInt(digit));
    return (await networks.cgan({ z, y })).x;
  }

  async function frame() {
    if (walking) stepOn();
    const drawn = await generate([slerp(here, there, way)]);
    paint(picture, drawn);
    const seen = await read(networks.judge, drawn);
    const said = `You ask for a ${digit}. The judge reads a ${seen.digit} and is ${Math.round(100 * seen.share)}\u00a0% sure.`;
    picture.setAttribute("aria-label", said);
    if (!walking) say(said);
    if (crowdIsOld) {
      crowdIsOld = false;
      const all = await generate(crowd);
      paint(many, all);
      many.setAttribute("aria-label", `Twenty-four drawings of a ${digit}, each from its own noise`);
      spread.textContent = `Two of these differ by ${twoDigits(variety(all, PIXELS))} a pixel, on average.`;
    }
    if (walking) show();
  }
  const show = frames(frame);

  const side = element("div", { class: "live-side" }, picture, line);
  stage.append(
    row,
    element("div", { class: "live-pair" }, element("div", {}, many, spread), side),
    element("div", { class: "live-knobs" }, cut.row, walk.row, go, fresh)
  );
  await frame();
});
