// @ts-check
/**
 * The pictures of the laboratory: the discriminator's field with points on it, and two curves.
 *
 * @typedef {import("./history.js").Sample} Sample
 * @typedef {{ground: number[], fake: number[], real: number[], ink: string, faint: string,
 *   dot: string, edge: string, blue: string, red: string, green: string}} Colours
 */

export const REACH = 3; // the picture shows the square from -3 to 3
export const CELLS = 48;

/** @type {Record<string, Colours>} colours after Okabe and Ito (2008), safe for the colour-blind */
const THEMES = {
  light: {
    ground: [250, 250, 250],
    fake: [240, 170, 110],
    real: [105, 172, 220],
    ink: "#262626",
    faint: "#d0d0d0",
    dot: "#f0e442",
    edge: "#262626",
    blue: "#0072b2",
    red: "#c04f00",
    green: "#007a5a",
  },
  dark: {
    ground: [27, 32, 39],
    fake: [140, 72, 22],
    real: [24, 96, 150],
    ink: "#e8e8e8",
    faint: "#4a525c",
    dot: "#f0e442",
    edge: "#101010",
    blue: "#56b4e9",
    red: "#ff9d5c",
    green: "#3ccf9f",
  },
};

/** Return the colours of the page as it is now. */
export const colours = () => THEMES[document.documentElement.dataset.theme === "dark" ? "dark" : "light"];

/**
 * Return the middles of the field's cells, row by row from the top left.
 * @returns {Float64Array} (CELLS², 2)
 */
export function cellMiddles() {
  const points = new Float64Array(2 * CELLS * CELLS);
  const middle = (/** @type {number} */ k) => ((k + 0.5) / CELLS) * 2 * REACH - REACH;
  for (let i = 0; i < CELLS * CELLS; i++) {
    points[2 * i] = middle(i % CELLS);
    points[2 * i + 1] = -middle(Math.floor(i / CELLS));
  }
  return points;
}

/**
 * Give a canvas as many dots as the screen has for it, two for a pixel at most, and a scale on
 * which the page's pixels count.
 * @param {HTMLCanvasElement} canvas
 * @returns {{pen: CanvasRenderingContext2D, width: number, height: number}}
 */
export function prepare(canvas) {
  const sharp = Math.min(2, window.devicePixelRatio || 1);
  const [width, height] = [canvas.clientWidth || 320, canvas.clientHeight || 320];
  if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
    canvas.width = Math.round(width * sharp);
    canvas.height = Math.round(height * sharp);
  }
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  return { pen, width, height };
}

/**
 * Colour the cells of the field.
 * @param {ImageData} image CELLS wide and high
 * @param {ArrayLike<number>} realness 0 for generated, 1 for real, each cell
 * @param {Colours} colours
 */
export function paintCells(image, realness, { ground, fake, real }) {
  for (let i = 0; i < CELLS * CELLS; i++) {
    const side = realness[i] < 0.5 ? fake : real;
    const strength = Math.abs(2 * realness[i] - 1);
    for (let k = 0; k < 3; k++)
      image.data[4 * i + k] = ground[k] + strength * (side[k] - ground[k]);
    image.data[4 * i + 3] = 255;
  }
}

/**
 * Draw field, real points as small crosses, and generated points as yellow squares.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} field
 * @param {Float64Array} real
 * @param {Float64Array} made
 * @param {Colours} colours
 */
export function paintPlane(canvas, field, real, made, { ink, dot, edge }) {
  const { pen, width, height } = prepare(canvas);
  const across = (/** @type {number} */ x) => ((x + REACH) / (2 * REACH)) * width;
  const down = (/** @type {number} */ y) => ((REACH - y) / (2 * REACH)) * height;
  pen.imageSmoothingEnabled = true;
  pen.drawImage(field, 0, 0, width, height);
  pen.fillStyle = ink;
  for (let i = 0; i < real.length; i += 2) {
    const [x, y] = [across(real[i]), down(real[i + 1])];
    pen.fillRect(x - 3, y - 0.5, 6, 1);
    pen.fillRect(x - 0.5, y - 3, 1, 6);
  }
  for (const [colour, size] of /** @type {[string, number][]} */ ([[edge, 5], [dot, 3.4]])) {
    pen.fillStyle = colour;
    for (let i = 0; i < made.length; i += 2)
      pen.fillRect(across(made[i]) - size / 2, down(made[i + 1]) - size / 2, size, size);
  }
}

/**
 * @typedef {{value: (sample: Sample) => number, colour: string, dashes: number[]}} Curve
 */

/**
 * Draw curves over the rounds, with the range of both axes written at their ends.
 * @param {HTMLCanvasElement} canvas
 * @param {Sample[]} samples
 * @param {Curve[]} curves
 * @param {{low: number, high: number}} range of what is drawn; values beyond it stay at the edge
 * @param {Colours} colours
 */
export function paintCurves(canvas, samples, curves, { low, high }, { ink, faint }) {
  const { pen, width, height } = prepare(canvas);
  const [left, right, top, bottom] = [34, width - 6, 8, height - 18];
  const last = Math.max(1, samples.length ? samples[samples.length - 1].round : 1);
  const across = (/** @type {number} */ round) => left + (round / last) * (right - left);
  const down = (/** @type {number} */ value) =>
    bottom - ((Math.max(low, Math.min(high, value)) - low) / (high - low)) * (bottom - top);
  pen.clearRect(0, 0, width, height);
  pen.strokeStyle = faint;
  pen.lineWidth = 1;
  pen.setLineDash([]);
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.fillStyle = ink;
  pen.font = "11px sans-serif";
  pen.textAlign = "right";
  pen.fillText(written(high), left - 4, top + 8);
  pen.fillText(written(low), left - 4, bottom);
  pen.fillText(`round ${last}`, right, height - 4);
  pen.textAlign = "left";
  pen.fillText("0", left, height - 4);
  pen.lineWidth = 1.8;
  for (const { value, colour, dashes } of curves) {
    pen.strokeStyle = colour;
    pen.setLineDash(dashes);
    pen.beginPath();
    samples.forEach((sample, i) => {
      const [x, y] = [across(sample.round), down(value(sample))];
      if (i === 0) pen.moveTo(x, y);
      else pen.lineTo(x, y);
    });
    pen.stroke();
  }
}

/** @param {number} value */
export const written = (value) =>
  (Number.isInteger(value) ? `${value}` : value.toFixed(Math.abs(value) < 10 ? 1 : 0)).replace("-", "−");

/**
 * Return a range that holds the losses, the rare peak of one in fifty left out.
 * @param {Sample[]} samples
 */
export function lossRange(samples) {
  const values = samples.flatMap(({ dLoss, gLoss }) => [dLoss, gLoss]).filter(Number.isFinite);
  if (values.length === 0) return { low: 0, high: 2 };
  values.sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => values[Math.round(share * (values.length - 1))];
  const [low, high] = [Math.min(0, at(0.01)), Math.max(0, at(0.98))];
  const step = 10 ** Math.floor(Math.log10(Math.max(high - low, 0.1)));
  return { low: step * Math.floor(low / step), high: step * Math.ceil(high / step) || step };
}
