// @ts-check
/**
 * The conditional GAN in plain JavaScript: four layers of sums, so that nothing else need be loaded.
 *
 * A picture is a row of pixels after another, each with all its channels.
 *
 * @typedef {object} Layer a transposed convolution: every value stamps a patch on a larger picture
 * @property {number} inside channels of the small picture
 * @property {number} outside channels of the larger one
 * @property {number} kernel side of a patch
 * @property {number} stride from one patch to the next
 * @property {number} margin how much is cut off at each side
 * @property {Float32Array} weight (inside, kernel, kernel, outside)
 * @property {Float32Array} bias for each channel outside, or for each place and channel
 *
 * @typedef {{classes: Float32Array[], layers: Layer[]}} Generator
 */

/**
 * Return a number from the 16 bits of its half precision; there is no infinity among them.
 * @param {number} bits
 */
export function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
}

/**
 * Return numbers from their half precision in base64, the low byte first.
 * @param {string} packed
 */
export function unpackHalves(packed) {
  const bytes = atob(packed);
  return Float32Array.from({ length: bytes.length / 2 }, (_, k) =>
    fromHalf(bytes.charCodeAt(2 * k) | (bytes.charCodeAt(2 * k + 1) << 8))
  );
}

/**
 * Return a generator from what `models/cgan.json` says.
 * @param {any} said
 * @returns {Generator}
 */
export function unpackGenerator({ classes, layers }) {
  const vectors = unpackHalves(classes);
  const length = vectors.length / 10;
  return {
    classes: Array.from({ length: 10 }, (_, k) => vectors.slice(k * length, (k + 1) * length)),
    layers: layers.map((/** @type {any} */ layer) => ({
      ...layer,
      weight: unpackHalves(layer.weight),
      bias: unpackHalves(layer.bias),
    })),
  };
}

/**
 * Return the larger picture that a layer makes of a small one.
 * @param {Layer} layer
 * @param {Float32Array} small
 */
export function stamp({ inside, outside, kernel, stride, margin, weight, bias }, small) {
  const side = Math.sqrt(small.length / inside);
  const wide = (side - 1) * stride + kernel - 2 * margin;
  const large = Float32Array.from({ length: wide * wide * outside }, (_, k) => bias[k % bias.length]);
  small.forEach((value, place) => {
    if (value === 0) return; // the half that ReLU has silenced
    const pixel = Math.floor(place / inside);
    const top = Math.floor(pixel / side) * stride - margin;
    const left = (pixel % side) * stride - margin;
    const patch = (place % inside) * kernel * kernel * outside;
    for (let y = Math.max(0, -top); y < Math.min(kernel, wide - top); y++) {
      for (let x = Math.max(0, -left); x < Math.min(kernel, wide - left); x++) {
        const to = ((top + y) * wide + left + x) * outside;
        const from = patch + (y * kernel + x) * outside;
        for (let o = 0; o < outside; o++) large[to + o] += value * weight[from + o];
      }
    }
  });
  return large;
}

/**
 * Draw a digit.
 * @param {Generator} generator
 * @param {ArrayLike<number>} noise
 * @param {number} digit
 * @returns {Float32Array} grey values of 16 x 16 pixels, in [-1, 1]
 */
export function generate({ classes, layers }, noise, digit) {
  let picture = Float32Array.from([...Array.from(noise), ...classes[digit]]);
  layers.forEach((layer, depth) => {
    const last = depth + 1 === layers.length;
    picture = stamp(layer, picture).map(last ? Math.tanh : (value) => Math.max(0, value));
  });
  return picture;
}
