// @ts-check
/**
 * The losses of both players, with their derivatives by the discriminator's outputs.
 *
 * Names and formulas are those of genimg_course/losses/adversarial.py. Each loss is a mean over its
 * batch, in nats where there is a logarithm; lower is better for the player who owns it.
 *
 * @typedef {(output: number) => [number, number]} Term value and derivative for one output
 * @typedef {{name: string, real: Term, fake: Term, generator: Term}} Loss
 */

/** log(1 + eˣ) without overflow. @param {number} x */
export const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** 1 / (1 + e⁻ˣ) without overflow. @param {number} x */
export const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : 1 - 1 / (1 + Math.exp(x)));

/** -log D, where D = σ(a). @type {Term} */
const surpriseIfReal = (a) => [softplus(-a), -sigmoid(-a)];
/** -log(1 - D). @type {Term} */
const surpriseIfFake = (a) => [softplus(a), sigmoid(a)];
/** Half a squared distance. @type {(target: number) => Term} */
const towards = (target) => (a) => [(a - target) ** 2 / 2, a - target];
/** @type {Term} */
const up = (a) => [-a, -1];
/** @type {Term} */
const down = (a) => [a, 1];

export const LOSSES = /** @type {Record<string, Loss>} */ ({
  non_saturating: {
    name: "non-saturating",
    real: surpriseIfReal,
    fake: surpriseIfFake,
    generator: surpriseIfReal,
  },
  saturating: {
    name: "saturating",
    real: surpriseIfReal,
    fake: surpriseIfFake,
    generator: (a) => [-softplus(a), -sigmoid(a)],
  },
  least_squares: {
    name: "least squares",
    real: towards(1),
    fake: towards(0),
    generator: towards(1),
  },
  hinge: {
    name: "hinge",
    real: (a) => (a < 1 ? [1 - a, -1] : [0, 0]),
    fake: (a) => (a > -1 ? [1 + a, 1] : [0, 0]),
    generator: up,
  },
  wasserstein: { name: "Wasserstein", real: up, fake: down, generator: up },
});

/**
 * Return the mean of a term over outputs, and write its derivative by each output.
 * @param {Term} term
 * @param {Float64Array} outputs
 * @param {Float64Array} byOutput
 */
export function meanOf(term, outputs, byOutput) {
  let sum = 0;
  for (let b = 0; b < outputs.length; b++) {
    const [value, slope] = term(outputs[b]);
    sum += value;
    byOutput[b] = slope / outputs.length;
  }
  return sum / outputs.length;
}

/**
 * Return γ/2 times the mean squared slope, and write its derivative by the slopes (R1).
 * @param {Float64Array} slopes ∇ₓ f at each point, (count, 2)
 * @param {number} gamma
 * @param {Float64Array} bySlope (count, 2)
 */
export function r1Penalty(slopes, gamma, bySlope) {
  const count = slopes.length / 2;
  let sum = 0;
  for (let i = 0; i < slopes.length; i++) {
    sum += slopes[i] ** 2;
    bySlope[i] = (gamma * slopes[i]) / count;
  }
  return (gamma / 2) * (sum / count);
}

/**
 * Return λ times the mean of (slope - 1)², and write its derivative by the slopes.
 * @param {Float64Array} slopes ∇ₓ f at each point, (count, 2)
 * @param {number} weight λ
 * @param {Float64Array} bySlope (count, 2)
 */
export function gradientPenalty(slopes, weight, bySlope) {
  const count = slopes.length / 2;
  let sum = 0;
  for (let i = 0; i < slopes.length; i += 2) {
    const steepness = Math.hypot(slopes[i], slopes[i + 1]);
    sum += (steepness - 1) ** 2;
    // a flat point has no direction: it gets no push, as in PyTorch
    const factor = steepness > 0 ? (2 * weight * (1 - 1 / steepness)) / count : 0;
    bySlope[i] = factor * slopes[i];
    bySlope[i + 1] = factor * slopes[i + 1];
  }
  return (weight * sum) / count;
}
