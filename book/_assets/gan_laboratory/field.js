// @ts-check
/** What the discriminator says of the plane, worked out a few rows at a time. */

import { OBJECTIVES } from "./game.js";
import { sigmoid } from "./losses.js";
import { forward, network, tape } from "./networks.js";

/**
 * @typedef {import("./networks.js").Network} Network
 * @typedef {{points: Float64Array, outputs: Float64Array, coming: Float64Array, stripe: number,
 *   next: number, asked: Network, memory: import("./networks.js").Tape}} Field
 */

/**
 * @param {Float64Array} points cells of the field, (count, 2)
 * @param {number} stripes in how many parts one look is taken
 * @param {Network} net of the discriminator's shape
 * @returns {Field}
 */
export function newField(points, stripes, net) {
  const count = points.length / 2;
  const [outputs, coming] = [new Float64Array(count), new Float64Array(count)];
  const stripe = count / stripes;
  const asked = network(net.sizes, net.slope);
  return { points, outputs, coming, stripe, next: 0, asked, memory: tape(net, stripe) };
}

/**
 * Work out the next stripe. All stripes of a look ask one and the same copy of the discriminator,
 * and appear together, so that the picture has no seams while the discriminator moves on.
 * @param {Field} field
 * @param {Network} net
 */
export function lookAtStripe(field, net) {
  const { points, coming, outputs, asked, memory } = field;
  const [from, to] = [field.next, field.next + field.stripe];
  if (from === 0) asked.parameters.set(net.parameters);
  coming.set(forward(asked, memory, points.subarray(2 * from, 2 * to)), from);
  if (to === coming.length) outputs.set(coming);
  field.next = to % coming.length;
}

/**
 * Look at all of it, as it is now.
 * @param {Field} field
 * @param {Network} net
 */
export function lookAtAll(field, net) {
  field.next = 0;
  do lookAtStripe(field, net);
  while (field.next > 0);
}

/**
 * Bring outputs to a scale from 0, generated, to 1, real, and say what its ends and middle are.
 * @param {string} objective
 * @param {Float64Array} outputs
 * @returns {{realness: Float64Array, low: string, middle: string, high: string}}
 */
export function scaled(objective, outputs) {
  const { loss } = OBJECTIVES[objective];
  if (loss === "least_squares")
    return { realness: outputs.map(within), low: "0", middle: "½", high: "1" };
  if (loss === "hinge")
    return { realness: outputs.map((a) => within((a + 1) / 2)), low: "−1", middle: "0", high: "1" };
  if (loss === "wasserstein") {
    // a critic's scores have no zero: only their differences mean something
    const low = outputs.reduce((a, b) => Math.min(a, b), Infinity);
    const high = outputs.reduce((a, b) => Math.max(a, b), -Infinity);
    const span = high - low || 1;
    const realness = outputs.map((a) => (a - low) / span);
    return { realness, low: "lowest score", middle: "", high: `${span.toPrecision(2)} higher` };
  }
  return { realness: outputs.map(sigmoid), low: "D = 0", middle: "½", high: "D = 1" };
}

/** @param {number} value */
const within = (value) => Math.max(0, Math.min(1, value));
