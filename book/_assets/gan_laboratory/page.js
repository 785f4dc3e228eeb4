// @ts-check
/** The laboratory on the page: knobs, clock and pictures around the pure modules. */

import { button, choice, element, steps, whole } from "../live/knobs.js";
import { lookAtAll, lookAtStripe, newField, scaled } from "./field.js";
import { DEFAULTS, LATENT, OBJECTIVES, advance, newGame } from "./game.js";
import { newHistory, remember } from "./history.js";
import { LAWS, chance, countModes, draw, noise } from "./laws.js";
import { forward, tape } from "./networks.js";
import * as pictures from "./pictures.js";

const SHOWN = 500; // points of each kind on the picture; the count is taken from them as well
const STRIPES = 6;
const TRAINING = 6; // milliseconds of a frame; the rest is for the pictures
const RATES = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02];
const STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const NAMES = {
  non_saturating: "non-saturating",
  saturating: "saturating",
  least_squares: "least squares",
  hinge: "hinge",
  wgan_gp: "Wasserstein, gradient penalty",
  wgan_clip: "Wasserstein, clipped weights",
};

/** Settings for the page's experiments: name, and what differs from the defaults. */
const EXPERIMENTS = /** @type {Record<string, [string, Partial<import("./game.js").Settings>]>} */ ({
  turns: ["Taking turns", {}],
  hasty: ["Ten to one: collapse", { gSteps: 10 }],
  ahead: ["A judge far ahead", { dSteps: 5 }],
  calm: ["A judge far ahead, calmed by R1", { dSteps: 5, gamma: 0.1 }],
  clipped: ["Clipped critic", { objective: "wgan_clip", dSteps: 5 }],
});

const place = /** @type {HTMLElement} */ (document.querySelector(".live"));
const stage = element("div", { class: "live-stage" });

/** @type {import("./game.js").Settings} */
let settings = { ...DEFAULTS };
let seed = 0;
let pace = 4; // rounds a frame, at most
let playing = false;
let waiting = 0; // the next frame
let game = newGame(seed);
let history = newHistory();
let losses = { rounds: 0, d: 0, g: 0 }; // since the last sample
let count = { found: 0, good: 0 };
let real = new Float64Array(0);
let made = new Float64Array(0);
let spokenAt = 0;

const z = noise(SHOWN * LATENT, chance(1)); // always the same, so that points move and do not jump
const memory = tape(game.generator.net, SHOWN);
const field = newField(pictures.cellMiddles(), STRIPES, game.discriminator.net);
const cells = element("canvas", { width: `${pictures.CELLS}`, height: `${pictures.CELLS}` });
const cellsPen = /** @type {CanvasRenderingContext2D} */ (cells.getContext("2d"));
const image = cellsPen.createImageData(pictures.CELLS, pictures.CELLS);

const plane = element("canvas", { class: "live-field", role: "img" });
const lossChart = element("canvas", { class: "live-curve", role: "img" });
const countChart = element("canvas", { class: "live-curve", role: "img" });
const legend = { low: element("span"), middle: element("span"), high: element("span") };
const readout = element("p", { class: "live-readout" });
const spoken = element("p", { class: "live-aloud", role: "status" });
const foundKey = key("found", "");

const playButton = button("Play", () => (playing ? pause() : play()));
const stepButton = button("Step", () => {
  pause();
  finishRound();
  show(true);
});
const resetButton = button("Reset", () => {
  pause();
  reset();
});

/** @param {Partial<import("./game.js").Settings>} changes */
function change(changes) {
  settings = { ...settings, ...changes };
  experiment.set("");
  arrange();
}

const experiment = choice(
  "Experiment",
  [["", "your own"], ...Object.entries(EXPERIMENTS).map(([id, [name]]) => /** @type {[string, string]} */ ([id, name]))],
  "turns",
  (id) => {
    if (!id) return;
    settings = { ...DEFAULTS, ...EXPERIMENTS[id][1] };
    arrange();
    reset();
  }
);
const knobs = {
  law: choice("Data", Object.entries(LAWS).map(([id, law]) => [id, law.name]), settings.law, (law) => change({ law })),
  objective: choice("Loss", Object.entries(NAMES), settings.objective, (objective) => change({ objective })),
  dRate: steps("Discriminator: rate", RATES, (dRate) => change({ dRate })),
  gRate: steps("Generator: rate", RATES, (gRate) => change({ gRate })),
  dSteps: steps("Discriminator: steps", STEPS, (dSteps) => change({ dSteps })),
  gSteps: steps("Generator: steps", STEPS, (gSteps) => change({ gSteps })),
  gamma: steps("R1 penalty γ", [0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10], (gamma) => change({ gamma })),
  lambda: steps("Gradient penalty λ", [0.1, 0.3, 1, 3, 10], (lambda) => change({ lambda })),
  clip: steps("Weights within ±", [0.01, 0.02, 0.05, 0.1, 0.2, 0.5], (clip) => change({ clip })),
};
const paceKnob = steps("Rounds a frame, at most", [1, 2, 4, 8, 16], (value) => (pace = value));
const seedKnob = whole("Seed", seed, (value) => {
  seed = value;
  pause();
  reset();
});

/** Bring the knobs to the settings, and hide those that mean nothing with this loss. */
function arrange() {
  for (const name of /** @type {(keyof typeof knobs)[]} */ (Object.keys(knobs)))
    knobs[name].set(/** @type {never} */ (settings[name]));
  const { bound } = OBJECTIVES[settings.objective];
  knobs.lambda.row.hidden = bound !== "penalty";
  knobs.clip.row.hidden = bound !== "clip";
  const law = LAWS[settings.law];
  foundKey.textContent = `${law.piece} found, of ${law.pieces}`;
  real = draw(law, SHOWN, chance(2));
  if (playing) return;
  const start = performance.now();
  show(true);
  measured(start);
}

function reset() {
  game = newGame(seed);
  history = newHistory();
  losses = { rounds: 0, d: 0, g: 0 };
  show(true);
}

function play() {
  if (game.broken) reset();
  playing = true;
  playButton.textContent = "Pause";
  waiting = requestAnimationFrame(frame);
}

function pause() {
  cancelAnimationFrame(waiting); // else a quick second press would start a second clock
  if (!playing) return;
  playing = false;
  playButton.textContent = "Play";
  show(true);
}

function finishRound() {
  while (!advance(game, settings));
  note();
}

/** Take the losses of a round into account. */
function note() {
  losses.rounds += 1;
  losses.d += game.dLoss;
  losses.g += game.gLoss;
}

/** Train for a bounded time and a bounded number of rounds, then show where the game stands. */
function frame() {
  const start = performance.now();
  // the unit of work is one update of one player, well below a frame
  for (let rounds = 0; rounds < pace && performance.now() - start < TRAINING && !game.broken; ) {
    if (!advance(game, settings)) continue;
    note();
    rounds += 1;
  }
  show(false);
  measured(start);
  if (game.broken) pause();
  else waiting = requestAnimationFrame(frame);
}

/**
 * @param {boolean} whole look at the whole field, not at the next stripe of it
 */
function show(whole) {
  made = forward(game.generator.net, memory, z);
  count = countModes(LAWS[settings.law], made);
  if (losses.rounds > 0) {
    const { rounds, d, g } = losses;
    remember(history, { round: game.round, dLoss: d / rounds, gLoss: g / rounds, ...count });
    losses = { rounds: 0, d: 0, g: 0 };
  }
  (whole ? lookAtAll : lookAtStripe)(field, game.discriminator.net);
  paint();
  say(whole);
}

function paint() {
  const colours = pictures.colours();
  const { realness, ...ends } = scaled(settings.objective, field.outputs);
  for (const end of /** @type {const} */ (["low", "middle", "high"]))
    if (legend[end].textContent !== ends[end]) legend[end].textContent = ends[end];
  pictures.paintCells(image, realness, colours);
  cellsPen.putImageData(image, 0, 0);
  pictures.paintPlane(plane, cells, real, made, colours);
  const { samples } = history;
  const lossCurves = [
    { value: (/** @type {any} */ s) => s.dLoss, colour: colours.blue, dashes: [] },
    { value: (/** @type {any} */ s) => s.gLoss, colour: colours.red, dashes: [5, 3] },
  ];
  pictures.paintCurves(lossChart, samples, lossCurves, pictures.lossRange(samples), colours);
  const { pieces } = LAWS[settings.law];
  const counts = [
    { value: (/** @type {any} */ s) => s.found, colour: colours.green, dashes: [] },
    { value: (/** @type {any} */ s) => s.good * pieces, colour: colours.red, dashes: [5, 3] },
  ];
  pictures.paintCurves(countChart, samples, counts, { low: 0, high: pieces }, colours);
}

/**
 * Say in words where the game stands: in sight always, aloud when it rests and every ten seconds.
 * @param {boolean} aloud
 */
function say(aloud) {
  const { piece, pieces } = LAWS[settings.law];
  const text = game.broken
    ? `Round ${game.round}: a loss is no longer a number. Lower a learning rate, then reset.`
    : `Round ${game.round}: ${count.found} of ${pieces} ${piece} found, ` +
      `${Math.round(100 * count.good)}\u00a0% of the points are good.`;
  readout.textContent = text;
  const now = performance.now();
  if (!aloud && now - spokenAt < 10_000) return;
  spokenAt = now;
  spoken.textContent = text;
  plane.setAttribute("aria-label", `Real and generated points over the discriminator’s field. ${text}`);
  const { dLoss, gLoss } = history.samples[history.samples.length - 1] ?? { dLoss: NaN, gLoss: NaN };
  const lossText = Number.isFinite(dLoss)
    ? `discriminator ${dLoss.toFixed(2)}, generator ${gLoss.toFixed(2)}`
    : "no round was played yet";
  lossChart.setAttribute("aria-label", `Losses over the rounds. Now: ${lossText}`);
  countChart.setAttribute("aria-label", `Count over the rounds. ${text}`);
}

let frames = 0;
/** @param {number} start */
function measured(start) {
  performance.measure("live:frame", { start });
  frames += 1;
  if (frames % 1000 === 0) performance.clearMeasures("live:frame"); // the list must not grow for ever
}

/**
 * @param {string} kind
 * @param {string} text
 */
function key(kind, text) {
  return element("span", { class: `live-key live-key-${kind}` }, text);
}

function build() {
  const bar = element("div", { class: "live-bar" }, playButton, stepButton, resetButton);
  const scale = element(
    "div",
    { class: "live-scale" },
    element("span", {}, "generated"),
    element("span", {}, "real"),
    element("div", { class: "live-colours" }),
    legend.low,
    legend.middle,
    legend.high
  );
  const keys = element("p", { class: "live-keys" }, key("real", "real points"), key("made", "generated points"));
  const charts = element(
    "div",
    { class: "live-curves" },
    element("p", { class: "live-keys" }, key("d", "discriminator’s loss"), key("g", "generator’s loss")),
    lossChart,
    element("p", { class: "live-keys" }, foundKey, key("good", "share of good points (top: all)")),
    countChart,
    readout
  );
  const left = element("div", { class: "live-seen" }, plane, keys, scale);
  const rows = [knobs.law, knobs.objective, seedKnob, ...Object.values(knobs).slice(2), paceKnob];
  stage.append(
    element("div", { class: "live-top" }, experiment.row, bar),
    element("div", { class: "live-pair" }, left, charts),
    element("div", { class: "live-knobs" }, ...rows.map(({ row }) => row)),
    spoken
  );
}

build();
place.append(stage);
place.classList.add("live-on");
paceKnob.set(pace);
arrange();
new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
new ResizeObserver(paint).observe(plane);
performance.mark("live:ready");
