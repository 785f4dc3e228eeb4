// @ts-check
/** Numbers for the live pages: pure functions, the same as in `genimg_course.maths`. */

/** @typedef {Float32Array | number[]} Vector */

/**
 * Return a function that draws standard normal numbers, the same ones for the same seed.
 * @param {number} seed any integer
 * @returns {() => number}
 */
export function gaussian(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    // Weyl steps, mixed twice: enough for pictures, not for secrets
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
  // 1 - uniform() is never zero, so that the logarithm is finite
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/**
 * Draw a code from the prior N(0, I).
 * @param {() => number} draw
 * @param {number} length
 */
export function drawCode(draw, length) {
  return Float32Array.from({ length }, draw);
}

/** @param {Vector} v */
export function norm(v) {
  return Math.hypot(...v);
}

/**
 * Keep a number within a range.
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/**
 * Return the places of a list's values, the largest value first.
 * @param {number[]} values
 */
export function largestFirst(values) {
  return values.map((_, place) => place).sort((a, b) => values[b] - values[a]);
}

/**
 * Return codes on a grid over two latents, row by row from the top; the others stay as they are.
 * @param {Vector} base the code that is varied
 * @param {[number, number]} axes which latent runs across, and which up
 * @param {number} steps a side of the grid
 * @param {number} reach the grid goes from -reach to reach
 * @returns {Float32Array} `steps * steps` codes, one after the other
 */
export function planeCodes(base, [across, up], steps, reach) {
  const codes = new Float32Array(steps * steps * base.length);
  for (let row = 0; row < steps; row++) {
    for (let column = 0; column < steps; column++) {
      const start = (row * steps + column) * base.length;
      codes.set(base, start);
      codes[start + across] = reach * ((2 * column) / (steps - 1) - 1);
      codes[start + up] = reach * (1 - (2 * row) / (steps - 1));
    }
  }
  return codes;
}

/**
 * Return the point at `t` on the straight line from `a` to `b`.
 * @param {Vector} a
 * @param {Vector} b
 * @param {number} t
 */
export function lerp(a, b, t) {
  return Float32Array.from(a, (value, k) => (1 - t) * value + t * b[k]);
}

/**
 * Return the point at `t` on the great circle from `a` to `b`; see `genimg_course.maths.slerp`.
 * @param {Vector} a
 * @param {Vector} b
 * @param {number} t
 */
export function slerp(a, b, t) {
  const [lengthA, lengthB] = [norm(a), norm(b)];
  const u = Array.from(a, (value) => value / lengthA);
  const v = Array.from(b, (value) => value / lengthB);
  const apart = norm(u.map((value, k) => value - v[k]));
  const along = norm(u.map((value, k) => value + v[k]));
  const angle = 2 * Math.atan2(apart, along); // exact for small and for large angles
  if (angle < 1e-6) return lerp(a, b, t);
  const [fromA, fromB] = [Math.sin((1 - t) * angle), Math.sin(t * angle)];
  return Float32Array.from(a, (value, k) => (fromA * value + fromB * b[k]) / Math.sin(angle));
}

/**
 * Return the share of a standard normal law below `x`, to 1.5e-7 or better.
 * Source: Abramowitz and Stegun (1964), 7.1.26
 * @param {number} x
 */
export function normalShare(x) {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const tail = (terms.reduce((sum, term) => sum * t + term, 0) * t * Math.exp((-x * x) / 2)) / 2;
  return x < 0 ? tail : 1 - tail;
}

/**
 * Return the point below which a share of the standard normal law lies, by bisection.
 * @param {number} share between 0 and 1
 */
export function normalPoint(share) {
  let [low, high] = [-6, 6];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Turn a draw of the standard normal law into one of the law cut off at `-limit` and `limit`: the
 * draw keeps its rank. So nothing is drawn anew while the limit moves.
 * @param {Vector} z
 * @param {number} limit
 */
export function truncated(z, limit) {
  const low = normalShare(-limit);
  return Float32Array.from(z, (value) => normalPoint(low + (1 - 2 * low) * normalShare(value)));
}

/**
 * Return the mean over pairs of the root mean square difference of two pictures' pixels.
 * @param {Float32Array} pictures one after the other
 * @param {number} size pixels of each
 */
export function variety(pictures, size) {
  const count = pictures.length / size;
  let total = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      let squares = 0;
      for (let k = 0; k < size; k++) {
        squares += (pictures[i * size + k] - pictures[j * size + k]) ** 2;
      }
      total += Math.sqrt(squares / size);
    }
  }
  return (2 * total) / (count * (count - 1));
}
