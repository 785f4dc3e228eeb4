// @ts-check
/**
 * Small fully connected networks with their derivatives written out, and Adam.
 *
 * A batch is a Float64Array of rows, one after the other. A hidden layer computes a = W h + b and
 * hands on h' = a where a > 0, else slope * a: ReLU with slope 0, leaky ReLU with slope 0.2.
 *
 * @typedef {{inputs: number, outputs: number, weight: Float64Array, bias: Float64Array}} Layer
 * @typedef {{sizes: number[], slope: number, parameters: Float64Array, layers: Layer[]}} Network
 * @typedef {{count: number, values: Float64Array[], pulls: Float64Array[], pushes: Float64Array[]}} Tape
 * @typedef {{rate: number, beta1: number, beta2: number, eps: number}} AdamSettings
 * @typedef {{steps: number, mean: Float64Array, square: Float64Array}} AdamState
 */

/**
 * Make a network of zeros. All parameters lie in one array, the layers are windows on it, in the
 * order of PyTorch: weight (outputs, inputs), then bias, layer by layer.
 * @param {number[]} sizes length of a row before and after each layer
 * @param {number} slope what an activation makes of negative numbers
 * @returns {Network}
 */
export function network(sizes, slope) {
  let total = 0;
  for (let l = 1; l < sizes.length; l++) total += (sizes[l - 1] + 1) * sizes[l];
  const parameters = new Float64Array(total);
  const layers = [];
  let place = 0;
  for (let l = 1; l < sizes.length; l++) {
    const [inputs, outputs] = [sizes[l - 1], sizes[l]];
    const weight = parameters.subarray(place, (place += inputs * outputs));
    const bias = parameters.subarray(place, (place += outputs));
    layers.push({ inputs, outputs, weight, bias });
  }
  return { sizes, slope, parameters, layers };
}

/**
 * Draw all parameters evenly from ±1/√inputs, as PyTorch does.
 * @param {Network} net
 * @param {() => number} uniform draws from [0, 1)
 */
export function initialise(net, uniform) {
  for (const { inputs, weight, bias } of net.layers) {
    const reach = 1 / Math.sqrt(inputs);
    for (const part of [weight, bias])
      for (let i = 0; i < part.length; i++) part[i] = reach * (2 * uniform() - 1);
  }
}

/**
 * Make the memory of a pass: room for a batch between the layers. It can be used again and again.
 * @param {Network} net
 * @param {number} count rows in the batch
 * @returns {Tape}
 */
export function tape(net, count) {
  const room = () => net.sizes.map((size) => new Float64Array(count * size));
  return { count, values: room(), pulls: room(), pushes: room() };
}

/**
 * Run a batch through the network.
 * @param {Network} net
 * @param {Tape} memory keeps what the other passes need
 * @param {Float64Array} x (count, inputs)
 * @returns {Float64Array} (count, outputs), a part of the memory
 */
export function forward(net, memory, x) {
  const { count, values } = memory;
  values[0].set(x);
  net.layers.forEach((layer, l) => {
    linear(layer, values[l], values[l + 1], count, layer.bias);
    if (l + 1 < net.layers.length) activate(values[l + 1], net.slope);
  });
  return values[values.length - 1];
}

/**
 * Pull a derivative by the outputs back to the inputs: with v for what arrives behind a layer and u
 * for what leaves in front of it, u = Wᵀ v, and the activation before it gives v' = φ'(a) u.
 * @param {Network} net
 * @param {Tape} memory filled by `forward`
 * @param {Float64Array} byOutput (count, outputs)
 * @param {Network | null} gradient where the derivatives v hᵀ by the parameters are added, if wanted
 * @param {boolean} toInput whether the last product, to the inputs themselves, is wanted
 * @returns {Float64Array} (count, inputs), a part of the memory
 */
export function backward(net, memory, byOutput, gradient, toInput = true) {
  const { count, values, pulls } = memory;
  pulls[net.layers.length].set(byOutput);
  for (let l = net.layers.length - 1; l >= 0; l--) {
    if (gradient) gather(gradient.layers[l], pulls[l + 1], values[l], count, true);
    if (l === 0 && !toInput) break;
    transposed(net.layers[l], pulls[l + 1], pulls[l], count);
    if (l > 0) bend(pulls[l], values[l], net.slope);
  }
  return pulls[0];
}

/**
 * Differentiate a function P of the slopes g = ∇ₓ f(x) by the parameters: the second backward pass.
 *
 * `backward` built g from the end: u = Wᵀ v and v' = φ'(a) u, layer by layer. So its own derivative
 * runs from the front. With c for the derivative of P by a layer's u, starting at c = ∂P/∂g, the
 * weights receive v cᵀ, and the next layer c' = φ'(a) W c. The slopes φ' are constants but for
 * corners that no point meets, so biases receive nothing.
 * @param {Network} net
 * @param {Tape} memory filled by `forward`, then by `backward` from outputs of one
 * @param {Float64Array} bySlope ∂P/∂g, (count, inputs)
 * @param {Network} gradient where the derivatives are added
 */
export function backwardOfBackward(net, memory, bySlope, gradient) {
  const { count, values, pulls, pushes } = memory;
  pushes[0].set(bySlope);
  net.layers.forEach((layer, l) => {
    gather(gradient.layers[l], pulls[l + 1], pushes[l], count, false);
    if (l + 1 === net.layers.length) return;
    linear(layer, pushes[l], pushes[l + 1], count, null);
    bend(pushes[l + 1], values[l + 1], net.slope);
  });
}

/**
 * Make the memory of Adam.
 * @param {Network} net
 * @returns {AdamState}
 */
export function adamState(net) {
  const size = net.parameters.length;
  return { steps: 0, mean: new Float64Array(size), square: new Float64Array(size) };
}

/**
 * Move the parameters by one step of Adam (Kingma and Ba, 2015, algorithm 1).
 * @param {Network} net
 * @param {Network} gradient
 * @param {AdamState} state
 * @param {AdamSettings} settings
 */
export function adam(net, gradient, state, { rate, beta1, beta2, eps }) {
  const { mean, square } = state;
  const [p, g] = [net.parameters, gradient.parameters];
  state.steps += 1;
  // both averages start at zero: the two powers undo the pull of that start
  const meanScale = 1 / (1 - beta1 ** state.steps);
  const squareScale = 1 / (1 - beta2 ** state.steps);
  for (let i = 0; i < p.length; i++) {
    mean[i] = beta1 * mean[i] + (1 - beta1) * g[i];
    square[i] = beta2 * square[i] + (1 - beta2) * g[i] * g[i];
    p[i] -= (rate * meanScale * mean[i]) / (Math.sqrt(square[i] * squareScale) + eps);
  }
}

/**
 * Write W x + bias for each row x. Four outputs at a time: a processor can then do several at once.
 * @param {Layer} layer
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {number} count
 * @param {Float64Array | null} bias
 */
function linear({ inputs, outputs, weight }, x, y, count, bias) {
  const fours = outputs - (outputs % 4);
  for (let b = 0; b < count; b++) {
    const start = b * inputs;
    let j = 0;
    for (; j < fours; j += 4) {
      const [w0, w1, w2, w3] = [j * inputs, (j + 1) * inputs, (j + 2) * inputs, (j + 3) * inputs];
      let [s0, s1, s2, s3] = bias ? [bias[j], bias[j + 1], bias[j + 2], bias[j + 3]] : [0, 0, 0, 0];
      for (let i = 0; i < inputs; i++) {
        const value = x[start + i];
        s0 += weight[w0 + i] * value;
        s1 += weight[w1 + i] * value;
        s2 += weight[w2 + i] * value;
        s3 += weight[w3 + i] * value;
      }
      const place = b * outputs + j;
      y[place] = s0;
      y[place + 1] = s1;
      y[place + 2] = s2;
      y[place + 3] = s3;
    }
    for (; j < outputs; j++) {
      let sum = bias ? bias[j] : 0;
      for (let i = 0; i < inputs; i++) sum += weight[j * inputs + i] * x[start + i];
      y[b * outputs + j] = sum;
    }
  }
}

/**
 * Write Wᵀ v for each row v, again four at a time.
 * @param {Layer} layer
 * @param {Float64Array} v
 * @param {Float64Array} u
 * @param {number} count
 */
function transposed({ inputs, outputs, weight }, v, u, count) {
  u.fill(0);
  for (let b = 0; b < count; b++) {
    const start = b * inputs;
    const fours = outputs - (outputs % 4);
    let j = 0;
    for (; j < fours; j += 4) {
      const place = b * outputs + j;
      const [v0, v1, v2, v3] = [v[place], v[place + 1], v[place + 2], v[place + 3]];
      const [w0, w1, w2, w3] = [j * inputs, (j + 1) * inputs, (j + 2) * inputs, (j + 3) * inputs];
      for (let i = 0; i < inputs; i++)
        u[start + i] +=
          v0 * weight[w0 + i] + v1 * weight[w1 + i] + v2 * weight[w2 + i] + v3 * weight[w3 + i];
    }
    for (; j < outputs; j++) {
      const pull = v[b * outputs + j];
      for (let i = 0; i < inputs; i++) u[start + i] += pull * weight[j * inputs + i];
    }
  }
}

/**
 * Add the sum of v hᵀ over all rows to a layer's gradient, and that of v if the bias had a part.
 * Four rows at a time.
 * @param {Layer} gradient
 * @param {Float64Array} v
 * @param {Float64Array} h
 * @param {number} count
 * @param {boolean} withBias
 */
function gather({ inputs, outputs, weight, bias }, v, h, count, withBias) {
  const fours = count - (count % 4);
  for (let j = 0; j < outputs; j++) {
    const row = j * inputs;
    let b = 0;
    for (; b < fours; b += 4) {
      const [p0, p1] = [b * outputs + j, (b + 1) * outputs + j];
      const [p2, p3] = [(b + 2) * outputs + j, (b + 3) * outputs + j];
      const [v0, v1, v2, v3] = [v[p0], v[p1], v[p2], v[p3]];
      const [h0, h1, h2, h3] = [b * inputs, (b + 1) * inputs, (b + 2) * inputs, (b + 3) * inputs];
      for (let i = 0; i < inputs; i++)
        weight[row + i] += v0 * h[h0 + i] + v1 * h[h1 + i] + v2 * h[h2 + i] + v3 * h[h3 + i];
      if (withBias) bias[j] += v0 + v1 + v2 + v3;
    }
    for (; b < count; b++) {
      const pull = v[b * outputs + j];
      for (let i = 0; i < inputs; i++) weight[row + i] += pull * h[b * inputs + i];
      if (withBias) bias[j] += pull;
    }
  }
}

/**
 * @param {Float64Array} values
 * @param {number} slope
 */
function activate(values, slope) {
  for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] *= slope;
}

/**
 * Multiply by the slope of the activation, which the sign of its result gives away.
 * @param {Float64Array} pull
 * @param {Float64Array} values what the activation handed on
 * @param {number} slope
 */
function bend(pull, values, slope) {
  for (let i = 0; i < pull.length; i++) if (!(values[i] > 0)) pull[i] *= slope;
}
