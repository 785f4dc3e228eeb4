// @ts-check
/** What the discriminator says of the plane, worked out a few rows at a time. */

import { OBJECTIVES } from "./game.js";
import { sigmoid } from "./losses.js";
import { forward, tape } from "./networks.js";

/**
 * @typedef {{points: Float64Array, outputs: Float64Array, stripe: number, next: number,
 *   memory: import("./networks.js").Tape}} Field
 */

/**
 * @param {Float64Array} points cells of the field, (count, 2)
 * @param {number} stripes in how many parts one look is taken
 * @param {import("./networks.js").Network} net of the discriminator's shape
 * @returns {Field}
 */
export function newField(points, stripes, net) {
  const stripe = points.length / 2 / stripes;
  const outputs = new Float64Array(points.length / 2);
  return { points, outputs, stripe, next: 0, memory: tape(net, stripe) };
}

/**
 * Ask the discriminator about the next stripe.
 * @param {Field} field
 * @param {import("./networks.js").Network} net
 */
export function lookAtStripe(field, net) {
  const [from, to] = [field.next, field.next + field.stripe];
  field.outputs.set(forward(net, field.memory, field.points.subarray(2 * from, 2 * to)), from);
  field.next = to % field.outputs.length;
}

/**
 * Ask about all of them.
 * @param {Field} field
 * @param {import("./networks.js").Network} net
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
