// @ts-check
/** The course's trained networks in the browser: fetched from the book itself, checked, run. */

/**
 * @typedef {object} Facts what `models/facts.json` says
 * @property {Record<string, {integrity: string}>} files
 * @property {number[]} nats that each latent of the VAE carries, a mean over digits
 * @property {{digits: number[], pixels: string, codes: number[][]}} examples
 */

/** @typedef {(inputs: Record<string, Float32Array | BigInt64Array>) => Promise<Record<string, Float32Array>>} Network */

const VENDOR = new URL("../vendor/onnxruntime/", import.meta.url);
const MODELS = new URL("./models/", import.meta.url);

/**
 * Fetch the facts, the runtime and some networks.
 * @template {string} Name
 * @param {Record<Name, Record<string, number[]>>} wanted name of each network to the shape of one
 *     row of each input, such as `{vae_decoder: {z: [16]}}`
 * @returns {Promise<{facts: Facts, networks: Record<Name, Network>}>}
 */
export async function load(wanted) {
  const [runtime, facts] = await Promise.all([
    import(new URL("ort.mjs", VENDOR).href),
    fetch(new URL("facts.json", MODELS)).then((answer) => answer.json()),
  ]);
  runtime.env.wasm.numThreads = 1; // more would need headers that a plain server does not send
  // its script for threads is inside; a folder instead of a file would make it look for another
  runtime.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", VENDOR).href };
  const names = /** @type {Name[]} */ (Object.keys(wanted));
  const files = await Promise.all(names.map((name) => file(name, facts)));
  const networks = /** @type {Record<Name, Network>} */ ({});
  for (const [k, name] of names.entries()) {
    networks[name] = await network(runtime, files[k], wanted[name]);
  }
  return { facts, networks };
}

/**
 * Fetch a network's file; the browser refuses one whose digest is another.
 * @param {string} name
 * @param {Facts} facts
 */
async function file(name, facts) {
  const { integrity } = facts.files[name];
  const answer = await fetch(new URL(`${name}.onnx`, MODELS), { integrity });
  return new Uint8Array(await answer.arrayBuffer());
}

/**
 * Return a network as a function from flat inputs to flat outputs.
 * @param {any} runtime
 * @param {Uint8Array} bytes
 * @param {Record<string, number[]>} rows
 * @returns {Promise<Network>}
 */
async function network(runtime, bytes, rows) {
  const session = await runtime.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  const size = (/** @type {number[]} */ shape) => shape.reduce((a, b) => a * b, 1);
  return async (inputs) => {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, values]) => {
        const shape = [values.length / size(rows[name]), ...rows[name]];
        const type = values instanceof Float32Array ? "float32" : "int64";
        return [name, new runtime.Tensor(type, values, shape)];
      })
    );
    const outputs = await session.run(feeds);
    return Object.fromEntries(Object.keys(outputs).map((name) => [name, outputs[name].data]));
  };
}

/**
 * Say what the judge sees in a picture: a digit and how sure it is.
 * @param {Network} judge
 * @param {Float32Array} picture
 * @returns {Promise<{digit: number, share: number}>}
 */
export async function read(judge, picture) {
  const { p } = await judge({ x: picture });
  const digit = p.indexOf(Math.max(...p));
  return { digit, share: p[digit] };
}
