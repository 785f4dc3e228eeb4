// @ts-check
/**
 * Laws in the plane to learn from, seeded chance, and the count of what a generator reaches.
 *
 * Ring and grid are those of genimg_course/data/points.py: round Gaussians with equal shares. The
 * line and the two moons are curves with the same small spread, cut into stretches of equal length,
 * so that what is missing can be counted there as well.
 *
 * @typedef {{uniform: () => number, normal: () => number}} Chance
 * @typedef {{name: string, piece: string, pieces: number, spread: number,
 *   place: (t: number) => [number, number],
 *   nearest: (x: number, y: number) => {piece: number, distance: number}}} Law
 */

const SPREAD = 0.05;

/**
 * Return a source of chance: the same seed gives the same draws on every machine.
 *
 * Marsaglia's xorshift with 128 bits (2003, https://doi.org/10.18637/jss.v008.i14), and normal draws
 * by Box and Muller (1958, https://doi.org/10.1214/aoms/1177706645).
 * @param {number} seed
 * @returns {Chance}
 */
export function chance(seed) {
  const state = Uint32Array.of(seed, 0x9e3779b9, 0x7f4a7c15, 0xf39cc060 ^ seed);
  const next = () => {
    let bits = state[3];
    bits ^= bits << 11;
    bits ^= bits >>> 8;
    state.copyWithin(1, 0, 3);
    state[0] = bits ^ state[1] ^ (state[1] >>> 19);
    return state[0];
  };
  for (let i = 0; i < 64; i++) next(); // neighbouring seeds begin alike
  let spare = Number.NaN;
  const uniform = () => next() / 2 ** 32;
  const normal = () => {
    if (!Number.isNaN(spare)) {
      const kept = spare;
      spare = Number.NaN;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uniform, normal };
}

/**
 * @param {string} name
 * @param {[number, number][]} centres
 * @returns {Law}
 */
function mixture(name, centres) {
  return {
    name,
    piece: "modes",
    pieces: centres.length,
    spread: SPREAD,
    place: (t) => centres[Math.floor(t * centres.length)],
    nearest(x, y) {
      let [piece, distance] = [0, Infinity];
      centres.forEach(([a, b], k) => {
        const d = Math.hypot(x - a, y - b);
        if (d < distance) [piece, distance] = [k, d];
      });
      return { piece, distance };
    },
  };
}

const LINE = 2.5; // half its length
/** @type {Law} */
const line = {
  name: "line",
  piece: "stretches",
  pieces: 10,
  spread: SPREAD,
  place: (t) => [LINE * (2 * t - 1) * Math.SQRT1_2, LINE * (2 * t - 1) * Math.SQRT1_2],
  nearest(x, y) {
    const along = (x + y) * Math.SQRT1_2;
    const ends = Math.max(-LINE, Math.min(LINE, along));
    const piece = Math.min(9, Math.floor((5 * (ends + LINE)) / LINE));
    return { piece, distance: Math.hypot(x - ends * Math.SQRT1_2, y - ends * Math.SQRT1_2) };
  },
};

// two half circles that reach into each other
const MOON = { radius: 1.6, right: 0.8, up: 0.4 };
/** @type {Law} */
const moons = {
  name: "two moons",
  piece: "stretches",
  pieces: 10,
  spread: SPREAD,
  place(t) {
    const [side, angle] = t < 0.5 ? [1, 2 * Math.PI * t] : [-1, 2 * Math.PI * (t - 0.5)];
    return [
      side * (MOON.radius * Math.cos(angle) - MOON.right),
      side * (MOON.radius * Math.sin(angle) - MOON.up),
    ];
  },
  nearest(x, y) {
    let [piece, distance] = [0, Infinity];
    for (const side of [1, -1]) {
      const [a, b] = [side * x + MOON.right, side * y + MOON.up];
      // below a half circle, the nearest point is one of its ends
      const angle = b >= 0 ? Math.atan2(b, a) : a >= 0 ? 0 : Math.PI;
      const d = Math.hypot(a - MOON.radius * Math.cos(angle), b - MOON.radius * Math.sin(angle));
      if (d < distance) {
        distance = d;
        piece = Math.min(4, Math.floor((5 * angle) / Math.PI)) + (side > 0 ? 0 : 5);
      }
    }
    return { piece, distance };
  },
};

const around = Array.from({ length: 8 }, (_, k) => (k * Math.PI) / 4);
const across = [-2, -1, 0, 1, 2];
export const LAWS = /** @type {Record<string, Law>} */ ({
  ring: mixture("ring of 8", around.map((angle) => [2 * Math.cos(angle), 2 * Math.sin(angle)])),
  grid: mixture("grid of 25", across.flatMap((x) => across.map((y) => /** @type {[number, number]} */ ([x, y])))),
  moons,
  line,
});

/**
 * Draw points of a law.
 * @param {Law} law
 * @param {number} count
 * @param {Chance} from
 * @returns {Float64Array} (count, 2)
 */
export function draw(law, count, from) {
  const points = new Float64Array(2 * count);
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = law.place(from.uniform());
    points[i] = x + law.spread * from.normal();
    points[i + 1] = y + law.spread * from.normal();
  }
  return points;
}

/**
 * Draw noise.
 * @param {number} size
 * @param {Chance} from
 */
export const noise = (size, from) => Float64Array.from({ length: size }, from.normal);

/**
 * Count the pieces of a law that points reach, as metrics.count_modes does: a point is good within
 * three spreads of the law, and a piece is found if good points of it are one in a hundred of all.
 * @param {Law} law
 * @param {Float64Array} points (count, 2)
 * @returns {{found: number, good: number}} number of pieces, share of good points
 */
export function countModes(law, points, radius = 3, least = 0.01) {
  const count = points.length / 2;
  const hits = new Uint32Array(law.pieces);
  for (let i = 0; i < points.length; i += 2) {
    const { piece, distance } = law.nearest(points[i], points[i + 1]);
    if (distance <= radius * law.spread) hits[piece] += 1;
  }
  const good = hits.reduce((sum, n) => sum + n, 0) / count;
  return { found: hits.filter((n) => n / count >= least).length, good };
}
