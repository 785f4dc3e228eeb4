// @ts-check
/**
 * What happened so far, in a bounded number of samples: when they are full, each two become one.
 *
 * @typedef {{round: number, dLoss: number, gLoss: number, found: number, good: number}} Sample
 * @typedef {{most: number, every: number, waiting: Sample[], samples: Sample[]}} History
 */

/**
 * @param {number} [most] samples to keep
 * @returns {History}
 */
export const newHistory = (most = 400) => ({ most, every: 1, waiting: [], samples: [] });

/**
 * Add what one look at the game showed.
 * @param {History} history
 * @param {Sample} sample
 */
export function remember(history, sample) {
  history.waiting.push(sample);
  if (history.waiting.length < history.every) return;
  history.samples.push(together(history.waiting));
  history.waiting = [];
  if (history.samples.length < history.most) return;
  const pairs = [];
  for (let i = 0; i + 1 < history.samples.length; i += 2)
    pairs.push(together(history.samples.slice(i, i + 2)));
  history.samples = pairs;
  history.every *= 2;
}

/**
 * Return one sample for several: mean losses, and the count as it stood at the end.
 * @param {Sample[]} several
 * @returns {Sample}
 */
function together(several) {
  const mean = (/** @type {"dLoss" | "gLoss"} */ name) =>
    several.reduce((sum, sample) => sum + sample[name], 0) / several.length;
  return { ...several[several.length - 1], dLoss: mean("dLoss"), gLoss: mean("gLoss") };
}
