// @ts-check
/**
 * The game of two small networks: one update of one player at a time, the same for the same seed.
 *
 * @typedef {import("./networks.js").Network} Network
 * @typedef {import("./networks.js").Tape} Tape
 * @typedef {import("./laws.js").Chance} Chance
 * @typedef {{loss: string, bound: "none" | "penalty" | "clip"}} Objective
 * @typedef {{law: string, objective: string, dRate: number, gRate: number, dSteps: number,
 *   gSteps: number, gamma: number, lambda: number, clip: number}} Settings
 * @typedef {{net: Network, gradient: Network, state: import("./networks.js").AdamState}} Player
 * @typedef {{generator: Player, discriminator: Player, chance: Chance, memory: Record<string, Tape>,
 *   round: number, turn: number, dLoss: number, gLoss: number, broken: boolean}} Game
 */

import { LOSSES, gradientPenalty, meanOf, r1Penalty } from "./losses.js";
import { LAWS, chance, draw, noise } from "./laws.js";
import {
  adam,
  adamState,
  backward,
  backwardOfBackward,
  forward,
  initialise,
  network,
  tape,
} from "./networks.js";

export const LATENT = 2;
export const BATCH = 64;
const WIDTH = 48;
const ADAM = { beta1: 0.5, beta2: 0.999, eps: 1e-8 };

/** What a reader can choose. WGAN is one loss with two ways to bound the critic. */
export const OBJECTIVES = /** @type {Record<string, Objective>} */ ({
  non_saturating: { loss: "non_saturating", bound: "none" },
  saturating: { loss: "saturating", bound: "none" },
  least_squares: { loss: "least_squares", bound: "none" },
  hinge: { loss: "hinge", bound: "none" },
  wgan_gp: { loss: "wasserstein", bound: "penalty" },
  wgan_clip: { loss: "wasserstein", bound: "clip" },
});

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  law: "ring",
  objective: "non_saturating",
  dRate: 5e-3,
  gRate: 2e-3,
  dSteps: 1,
  gSteps: 1,
  gamma: 0,
  lambda: 1,
  clip: 0.2,
});

/**
 * Begin a game.
 * @param {number} seed decides the networks' first weights, the noise and the order of the data
 * @param {{width?: number, batch?: number}} [sizes]
 * @returns {Game}
 */
export function newGame(seed, { width = WIDTH, batch = BATCH } = {}) {
  const from = chance(seed);
  const player = (/** @type {number[]} */ sizes, /** @type {number} */ slope) => {
    const net = network(sizes, slope);
    initialise(net, from.uniform);
    return { net, gradient: network(sizes, slope), state: adamState(net) };
  };
  const generator = player([LATENT, width, width, 2], 0);
  const discriminator = player([2, width, width, 1], 0.2);
  const memory = {
    made: tape(generator.net, batch),
    real: tape(discriminator.net, batch),
    fake: tape(discriminator.net, batch),
    mixed: tape(discriminator.net, batch),
  };
  const start = { round: 0, turn: 0, dLoss: NaN, gLoss: NaN, broken: false };
  return { generator, discriminator, chance: from, memory, ...start };
}

/**
 * Let the player whose turn it is make one update. In a round the discriminator makes all of its
 * updates, then the generator; each draws a new batch.
 * @param {Game} game
 * @param {Settings} settings
 * @returns {boolean} whether this ended a round
 */
export function advance(game, settings) {
  const { generator, discriminator, memory, chance: from } = game;
  const z = noise(memory.made.count * LATENT, from);
  if (game.turn < settings.dSteps) {
    const real = draw(LAWS[settings.law], memory.real.count, from);
    const fake = forward(generator.net, memory.made, z);
    const shares = Float64Array.from({ length: memory.mixed.count }, from.uniform);
    game.dLoss = discriminatorLoss(discriminator, memory, real, fake, shares, settings);
    step(discriminator, settings.dRate);
    const { loss, bound } = OBJECTIVES[settings.objective];
    if (loss === "wasserstein" && bound === "clip") clip(discriminator.net, settings.clip);
  } else {
    game.gLoss = generatorLoss(generator, discriminator.net, memory, z, settings);
    step(generator, settings.gRate);
  }
  game.turn += 1;
  if (game.turn < settings.dSteps + settings.gSteps) return false;
  game.turn = 0;
  game.round += 1;
  game.broken = !Number.isFinite(game.dLoss) || !Number.isFinite(game.gLoss);
  return true;
}

/**
 * Return the discriminator's loss without penalties, and fill its gradient, penalties included.
 * @param {Player} player
 * @param {Record<string, Tape>} memory
 * @param {Float64Array} real (count, 2)
 * @param {Float64Array} fake (count, 2); a constant here
 * @param {Float64Array} shares how much of the real point is in each mixture of the penalty, (count)
 * @param {Settings} settings
 */
export function discriminatorLoss({ net, gradient }, memory, real, fake, shares, settings) {
  const { loss, bound } = OBJECTIVES[settings.objective];
  gradient.parameters.fill(0);
  let value = 0;
  for (const [points, term, passes] of /** @type {const} */ ([
    [real, LOSSES[loss].real, memory.real],
    [fake, LOSSES[loss].fake, memory.fake],
  ])) {
    const outputs = forward(net, passes, points);
    const byOutput = new Float64Array(outputs.length);
    value += meanOf(term, outputs, byOutput);
    backward(net, passes, byOutput, gradient, false);
  }
  if (settings.gamma > 0) {
    penalise(net, memory.real, gradient, (slopes, bySlope) =>
      r1Penalty(slopes, settings.gamma, bySlope)
    );
  }
  if (bound === "penalty") {
    forward(net, memory.mixed, mix(real, fake, shares));
    penalise(net, memory.mixed, gradient, (slopes, bySlope) =>
      gradientPenalty(slopes, settings.lambda, bySlope)
    );
  }
  return value;
}

/**
 * Add the gradient of a penalty on the slopes of the discriminator at the points of a pass.
 * @param {Network} net
 * @param {Tape} passes filled by `forward`
 * @param {Network} gradient
 * @param {(slopes: Float64Array, bySlope: Float64Array) => number} penalty
 * @returns {number} the penalty
 */
export function penalise(net, passes, gradient, penalty) {
  const ones = new Float64Array(passes.count).fill(1);
  const slopes = backward(net, passes, ones, null); // rows do not mix: each gets its own slope
  const bySlope = new Float64Array(slopes.length);
  const value = penalty(slopes, bySlope);
  backwardOfBackward(net, passes, bySlope, gradient);
  return value;
}

/**
 * Return the generator's loss and fill its gradient; the discriminator's is left alone.
 * @param {Player} player
 * @param {Network} judge
 * @param {Record<string, Tape>} memory
 * @param {Float64Array} z (count, LATENT)
 * @param {Settings} settings
 */
export function generatorLoss({ net, gradient }, judge, memory, z, settings) {
  gradient.parameters.fill(0);
  const outputs = forward(judge, memory.fake, forward(net, memory.made, z));
  const byOutput = new Float64Array(outputs.length);
  const value = meanOf(LOSSES[OBJECTIVES[settings.objective].loss].generator, outputs, byOutput);
  const byPoint = backward(judge, memory.fake, byOutput, null);
  backward(net, memory.made, byPoint, gradient, false);
  return value;
}

/**
 * @param {Player} player
 * @param {number} rate
 */
export function step({ net, gradient, state }, rate) {
  adam(net, gradient, state, { rate, ...ADAM });
}

/**
 * Keep every parameter within ±limit.
 * @param {Network} net
 * @param {number} limit
 */
export function clip({ parameters }, limit) {
  for (let i = 0; i < parameters.length; i++)
    parameters[i] = Math.max(-limit, Math.min(limit, parameters[i]));
}

/**
 * @param {Float64Array} real
 * @param {Float64Array} fake
 * @param {Float64Array} shares
 */
function mix(real, fake, shares) {
  return real.map((value, i) => shares[i >> 1] * value + (1 - shares[i >> 1]) * fake[i]);
}
