// What the viewer prefers, kept in this browser.

export const preferences = { coarse: read("coarse") === "yes", outlines: read("outlines") === "yes", theme: read("theme") };

const listeners = new Set();
const dark = matchMedia("(prefers-color-scheme: dark)");

export function onPreference(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function toggle(name) {
  preferences[name] = !preferences[name];
  write(name, preferences[name] ? "yes" : "no");
  listeners.forEach((listener) => listener());
}

export function theme() {
  return preferences.theme ?? (dark.matches ? "dark" : "light");
}

export function nextTheme() {
  preferences.theme = theme() === "dark" ? "light" : "dark";
  write("theme", preferences.theme);
  applyTheme();
}

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
  listeners.forEach((listener) => listener());
}

dark.addEventListener("change", applyTheme);

function read(name) {
  try { return localStorage.getItem(`misc-${name}`); } catch { return null; }
}

function write(name, value) {
  try { localStorage.setItem(`misc-${name}`, value); } catch { /* a private window keeps nothing */ }
}
