// @ts-check
/** Two ways from one code of the VAE to another, what is drawn along them, and how long codes are. */

import { button, choice, element, slider, spoken, twoDigits } from "./knobs.js";
import { drawCode, gaussian, lerp, norm, slerp } from "./maths.js";
import { load, read } from "./networks.js";
import { paint, sheet, unpack } from "./pictures.js";
import { frames, open } from "./stage.js";

const LATENTS = 16;
const STEPS = 9;
const WAYS = { straight: lerp, great: slerp };
const CHART = { width: 300, height: 110, left: 22, right: 8, top: 10, bottom: 16, tallest: 5 };

const across = (/** @type {number} */ t) =>
  CHART.left + t * (CHART.width - CHART.left - CHART.right);
const up = (/** @type {number} */ length) =>
  CHART.height - CHART.bottom - (length / CHART.tallest) * (CHART.height - CHART.top - CHART.bottom);

/**
 * Make a part of a drawing.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function shape(tag, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, `${value}`);
  made.textContent = text;
  return made;
}

/** Draw the axes of the chart: the way runs across, lengths of codes run up. */
function chart() {
  const made = shape("svg", {
    class: "live-chart",
    viewBox: `0 0 ${CHART.width} ${CHART.height}`,
    role: "img",
  });
  for (const length of [0, 2, 4]) {
    const y = up(length);
    made.append(
      shape("line", { class: "live-grid", x1: across(0), x2: across(1), y1: y, y2: y }),
      shape("text", { x: CHART.left - 5, y: y + 3, "text-anchor": "end" }, `${length}`)
    );
  }
  const typical = up(Math.sqrt(LATENTS));
  made.append(
    shape("line", { class: "live-typical", x1: across(0), x2: across(1), y1: typical, y2: typical })
  );
  return made;
}

await open(async (stage) => {
  const { facts, networks } = await load({
    vae_encoder: { x: [1, 16, 16] },
    vae_decoder: { z: [LATENTS] },
    judge: { x: [1, 16, 16] },
  });
  const pictures = unpack(facts.examples.pixels);
  const draw = gaussian(3);
  let ends = [await encode(0), await encode(1)];
  let t = 0.5;
  let waysAreOld = true;

  /** @param {number} k */
  async function encode(k) {
    return (await networks.vae_encoder({ x: pictures[k] })).mu;
  }

  const sheets = { straight: sheet(STEPS, 1, ""), great: sheet(STEPS, 1, "") };
  const middles = { straight: sheet(1, 1, ""), great: sheet(1, 1, "") };
  const lengths = { straight: element("output"), great: element("output") };
  const drawing = chart();
  const lines = {
    straight: shape("polyline", { class: "live-straight" }),
    great: shape("polyline", { class: "live-great" }),
  };
  const here = shape("line", { class: "live-here", y1: CHART.top, y2: CHART.height - CHART.bottom });
  drawing.append(lines.straight, lines.great, here);
  const { line, say } = spoken();

  const digits = facts.examples.digits.map((digit, k) => /** @type {[string, string]} */ ([
    `${k}`,
    k < 10 ? `a ${digit}` : `a ${digit} in another font`,
  ]));
  const options = [...digits, /** @type {[string, string]} */ (["chance", "a code by chance"])];
  const choose = (/** @type {0 | 1} */ which) => async (/** @type {string} */ value) => {
    ends[which] = value === "chance" ? drawCode(draw, LATENTS) : await encode(Number(value));
    renew();
  };
  const from = choice("From", options, "0", choose(0));
  const to = choice("To", options, "1", choose(1));
  const chance = button("Two codes by chance", () => {
    ends = [drawCode(draw, LATENTS), drawCode(draw, LATENTS)];
    from.set("chance");
    to.set("chance");
    renew();
  });
  const way = slider("Way", { min: 0, max: 1, step: 0.01, value: t }, (value) => {
    t = value;
    show();
  });

  function renew() {
    waysAreOld = true;
    show();
  }

  async function drawWays() {
    for (const [name, walk] of Object.entries(WAYS)) {
      const codes = new Float32Array(STEPS * LATENTS);
      for (let k = 0; k < STEPS; k++) codes.set(walk(ends[0], ends[1], k / (STEPS - 1)), k * LATENTS);
      paint(sheets[name], (await networks.vae_decoder({ z: codes })).x);
      const points = Array.from({ length: 41 }, (_, k) => k / 40);
      const path = points.map((s) => `${across(s)},${up(norm(walk(ends[0], ends[1], s)))}`);
      lines[name].setAttribute("points", path.join(" "));
    }
  }

  async function frame() {
    if (waysAreOld) {
      waysAreOld = false;
      await drawWays();
    }
    const said = [];
    for (const [name, walk] of Object.entries(WAYS)) {
      const z = walk(ends[0], ends[1], t);
      const { x } = await networks.vae_decoder({ z });
      paint(middles[name], x);
      const { digit, share } = await read(networks.judge, x);
      lengths[name].textContent = `length ${twoDigits(norm(z))}`;
      const words = `${name === "straight" ? "Straight line" : "Great circle"}: the judge reads a ${digit}, ${Math.round(100 * share)}\u00a0% sure.`;
      middles[name].setAttribute("aria-label", words);
      said.push(words);
    }
    here.setAttribute("x1", `${across(t)}`);
    here.setAttribute("x2", `${across(t)}`);
    say(said.join(" "));
    drawing.setAttribute(
      "aria-label",
      `Lengths along the way. Here the straight line has ${lengths.straight.textContent}, ` +
        `the great circle ${lengths.great.textContent}; draws of the prior have length 4, about.`
    );
  }
  const show = frames(frame);

  sheets.straight.setAttribute("aria-label", "Nine pictures along the straight line");
  sheets.great.setAttribute("aria-label", "Nine pictures along the great circle");
  const panel = (/** @type {"straight" | "great"} */ name, /** @type {string} */ title) =>
    element(
      "div",
      { class: `live-way live-way-${name}` },
      element("div", { class: "live-way-title" }, element("strong", {}, title), lengths[name]),
      element("div", { class: "live-way-row" }, sheets[name], middles[name])
    );
  const key = element("p", { class: "live-number" });
  key.append("Up: length of the code. Dotted: √16 = 4, where draws of the prior lie.");
  stage.append(
    element("div", { class: "live-knobs" }, from.row, to.row, chance),
    panel("straight", "Straight line"),
    panel("great", "Great circle"),
    way.row,
    element("div", { class: "live-pair" }, element("div", {}, drawing, key), line)
  );
  await frame();
});
