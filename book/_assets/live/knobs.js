// @ts-check
/** Knobs with labels, made of the browser's own controls: keyboard, mouse and touch all work. */

import { clamp } from "./maths.js";

/**
 * Make an element with properties, attributes and children.
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

/** @param {number} value */
export const twoDigits = (value) => value.toFixed(2).replace("-", "−");

/**
 * Make a slider.
 * @param {string} label
 * @param {{min: number, max: number, step: number, value: number, show?: (value: number) => string}} range
 * @param {(value: number) => void} changed
 */
export function slider(label, { min, max, step, value, show = twoDigits }, changed) {
  const input = element("input", { type: "range", min: `${min}`, max: `${max}`, step: `${step}` });
  // no <output>: the label would then belong to it
  const number = element("span", { class: "live-value" });
  const set = (/** @type {number} */ next) => {
    input.value = `${next}`;
    number.textContent = show(Number(input.value));
    input.setAttribute("aria-valuetext", number.textContent);
  };
  set(value);
  input.addEventListener("input", () => {
    set(Number(input.value));
    changed(Number(input.value));
  });
  // the number changes with every move: the slider itself says it, once
  number.setAttribute("aria-hidden", "true");
  input.setAttribute("aria-label", label);
  const row = element("label", { class: "live-slider" }, element("span", {}, label), number, input);
  return { row, set };
}

/**
 * Make a slider over a list of values, for steps that are not even. It stands at the first.
 * @param {string} label
 * @param {readonly number[]} values
 * @param {(value: number) => void} changed
 */
export function steps(label, values, changed) {
  const show = (/** @type {number} */ place) => `${values[place]}`;
  const range = { min: 0, max: values.length - 1, step: 1, value: 0, show };
  const { row, set } = slider(label, range, (place) => changed(values[place]));
  return { row, set: (/** @type {number} */ value) => set(values.indexOf(value)) };
}

/**
 * Make a list to choose from.
 * @param {string} label
 * @param {[string, string][]} options value and text of each
 * @param {string} value
 * @param {(value: string) => void} changed
 */
export function choice(label, options, value, changed) {
  const select = element(
    "select",
    {},
    ...options.map(([value, text]) => element("option", { value }, text))
  );
  select.value = value;
  select.setAttribute("aria-label", label); // else its options would count as its name
  select.addEventListener("change", () => changed(select.value));
  const row = element("label", { class: "live-choice" }, element("span", {}, label), select);
  return { row, set: (/** @type {string} */ next) => (select.value = next) };
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
    input.value = `${clamp(Math.round(Number(input.value) || 0), 0, 9999)}`;
    changed(Number(input.value));
  });
  return { row: element("label", { class: "live-choice" }, element("span", {}, label), input) };
}

/**
 * Make a button.
 * @param {string} text
 * @param {() => void} pressed
 * @returns {HTMLButtonElement}
 */
export function button(text, pressed) {
  const made = element("button", { type: "button", class: "live-button" }, text);
  made.addEventListener("click", pressed);
  return made;
}

/**
 * Make a line that a screen reader says when it has been still for a moment.
 * @returns {{line: HTMLElement, say: (text: string) => void}}
 */
export function spoken() {
  const line = element("p", { class: "live-spoken", role: "status" });
  let waiting = 0;
  return {
    line,
    say(text) {
      clearTimeout(waiting);
      waiting = window.setTimeout(() => (line.textContent = text), 400);
    },
  };
}
