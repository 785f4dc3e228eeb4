// @ts-check
/** Knobs with labels, made of the browser's own controls: keyboard, mouse and touch all work. */

/**
 * Make an element with attributes and children.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 * @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Make a slider over a list of values, for steps that are not even.
 * @param {string} label
 * @param {readonly number[]} values
 * @param {(value: number) => void} changed
 */
export function slider(label, values, changed) {
  const input = element("input", { type: "range", min: "0", max: `${values.length - 1}`, step: "1" });
  // not an output: a label belongs to the first control in it, and an output counts as one
  const number = element("span", { "aria-hidden": "true" });
  const show = () => {
    number.textContent = `${values[Number(input.value)]}`;
    input.setAttribute("aria-valuetext", number.textContent);
  };
  input.addEventListener("input", () => {
    show();
    changed(values[Number(input.value)]);
  });
  const set = (/** @type {number} */ value) => {
    input.value = `${values.indexOf(value)}`;
    show();
  };
  return { row: element("label", { class: "lab-slider" }, element("span", {}, label), number, input), set };
}

/**
 * Make a list to choose from.
 * @param {string} label
 * @param {[string, string][]} options value and text of each
 * @param {(value: string) => void} changed
 */
export function choice(label, options, changed) {
  const items = options.map(([value, text]) => element("option", { value }, text));
  const select = element("select", {}, ...items);
  select.addEventListener("change", () => changed(select.value));
  const row = element("label", { class: "lab-choice" }, element("span", {}, label), select);
  return { row, set: (/** @type {string} */ value) => (select.value = value) };
}

/**
 * Make a field for a whole number from 0 to 9999.
 * @param {string} label
 * @param {number} value
 * @param {(value: number) => void} changed
 */
export function whole(label, value, changed) {
  const input = element("input", { type: "number", min: "0", max: "9999", step: "1" });
  input.value = `${value}`;
  input.addEventListener("change", () => {
    input.value = `${Math.min(9999, Math.max(0, Math.round(Number(input.value) || 0)))}`;
    changed(Number(input.value));
  });
  return { row: element("label", { class: "lab-choice" }, element("span", {}, label), input) };
}

/**
 * Make a button.
 * @param {string} text
 * @param {() => void} pressed
 * @returns {HTMLButtonElement}
 */
export function button(text, pressed) {
  const made = element("button", { type: "button", class: "lab-button" }, text);
  made.addEventListener("click", pressed);
  return made;
}
