// @ts-check
/** Draw a digit; the autoencoder squeezes it, and rebuilds it, with noise if you like. */

import { button, element, slider, spoken, twoDigits } from "./knobs.js";
import { drawCode, gaussian } from "./maths.js";
import { load, read } from "./networks.js";
import { pad } from "./pad.js";
import { paint, PIXELS, sheet, unpack } from "./pictures.js";
import { frames, open } from "./stage.js";

const LATENTS = 16;

/**
 * Return the sum over pixels of squared differences.
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
const squaredError = (one, other) =>
  one.reduce((sum, value, k) => sum + (value - other[k]) ** 2, 0);

/**
 * Return a picture with noise added to each pixel.
 * @param {Float32Array} picture
 * @param {Float32Array} noise of standard deviation 1
 * @param {number} sigma
 */
const noisy = (picture, noise, sigma) => picture.map((value, k) => value + sigma * noise[k]);

await open(async (stage) => {
  const { facts, networks } = await load({
    ae_encoder: { x: [1, 16, 16] },
    ae_decoder: { z: [LATENTS] },
    judge: { x: [1, 16, 16] },
  });
  const examples = unpack(facts.examples.pixels);
  const draw = gaussian(5);
  let next = 5;
  let sigma = 0;
  let noise = drawCode(draw, PIXELS);
  let drawn = examples[next];

  const { line, say } = spoken();
  const drawing = pad((picture) => {
    drawn = picture;
    show();
  }, say);
  const seen = sheet(1, 1, "What the network sees");
  const rebuilt = sheet(1, 1, "");
  const before = element("output");
  const after = element("output");

  const grain = slider("Noise", { min: 0, max: 1, step: 0.05, value: sigma }, (value) => {
    sigma = value;
    show();
  });
  const example = button("An example", () => {
    next = (next + 1) % examples.length;
    drawing.put(examples[next]);
  });
  const fresh = button("New noise", () => {
    noise = drawCode(draw, PIXELS);
    show();
  });

  async function frame() {
    const x = noisy(drawn, noise, sigma);
    const { z } = await networks.ae_encoder({ x });
    const { x: again } = await networks.ae_decoder({ z });
    paint(seen, x);
    paint(rebuilt, again);
    before.textContent = `off by ${squaredError(x, drawn).toFixed(1)}`;
    after.textContent = `off by ${squaredError(again, drawn).toFixed(1)}`;
    const { digit, share } = await read(networks.judge, again);
    const words = `In the rebuilt picture the judge reads a ${digit} and is ${Math.round(100 * share)}\u00a0% sure.`;
    rebuilt.setAttribute("aria-label", `The rebuilt picture, ${after.textContent}`);
    seen.setAttribute("aria-label", `What the network sees: noise ${twoDigits(sigma)}, ${before.textContent}`);
    say(words);
  }
  const show = frames(frame);

  const panel = (/** @type {string} */ title, /** @type {Node} */ picture, /** @type {(Node | string)[]} */ ...below) =>
    element("div", { class: "live-panel" }, element("strong", {}, title), picture, element("span", {}, ...below));
  stage.append(
    element(
      "div",
      { class: "live-three" },
      panel("Draw here", drawing.made, "mouse, finger or keys"),
      panel("What it sees", seen, before),
      panel("What it rebuilds", rebuilt, after)
    ),
    line,
    element("div", { class: "live-knobs" }, grain.row, fresh, example, button("Clear", drawing.clear))
  );
  drawing.put(drawn);
  await frame();
});
