// @ts-check
/** Pictures of 16 x 16 grey values in [-1, 1], as the networks know them, on a canvas. */

export const SIDE = 16;
export const PIXELS = SIDE * SIDE;

/**
 * Return the bytes of a picture, four a pixel, from grey values in [-1, 1].
 * @param {Float32Array | number[]} values
 */
export function toBytes(values) {
  const bytes = new Uint8ClampedArray(4 * values.length); // it rounds and clamps by itself
  values.forEach((/** @type {number} */ value, /** @type {number} */ i) => {
    bytes.fill((value + 1) * 127.5, 4 * i, 4 * i + 3);
    bytes[4 * i + 3] = 255;
  });
  return bytes;
}

/**
 * Make a canvas for pictures side by side; its pixels stay square and sharp at any size.
 * @param {number} columns
 * @param {number} rows
 * @param {string} text what it shows, for those who cannot see it
 */
export function sheet(columns, rows, text) {
  const canvas = document.createElement("canvas");
  canvas.width = columns * SIDE;
  canvas.height = rows * SIDE;
  canvas.className = "live-picture";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", text);
  return canvas;
}

/**
 * Paint a batch of pictures on a sheet, row by row.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values `columns * rows` pictures, one after the other
 */
export function paint(canvas, values) {
  const columns = canvas.width / SIDE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (let k = 0; k * PIXELS < values.length; k++) {
    const picture = values.subarray(k * PIXELS, (k + 1) * PIXELS);
    const data = new ImageData(toBytes(picture), SIDE, SIDE);
    context.putImageData(data, (k % columns) * SIDE, Math.floor(k / columns) * SIDE);
  }
}

/**
 * Return pictures in [-1, 1] from their bytes in base64.
 * @param {string} packed
 * @returns {Float32Array[]}
 */
export function unpack(packed) {
  const grey = Float32Array.from(atob(packed), (byte) => byte.charCodeAt(0) / 127.5 - 1);
  return Array.from({ length: grey.length / PIXELS }, (_, k) =>
    grey.slice(k * PIXELS, (k + 1) * PIXELS)
  );
}
