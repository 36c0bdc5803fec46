// The page: which streams there are, which one is open, keys, and what is read aloud.

import { setHidden, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { applyTheme, nextTheme, onPreference, preferences, theme, toggle } from "./preferences.js";
import { StreamPage } from "./stream.js";
import { Tile, complaintOf, stateOf } from "./tile.js";
import { rate } from "./text.js";

const QUIET = 4000; // milliseconds between what is read aloud

const at = (id) => document.getElementById(id);
const feed = new Feed();
const page = new StreamPage(at("stream"), feed);
const tiles = new Map();
const dirty = new Set();
let waiting = false, lastSaid = 0, sayLater = null, captions = new Map();

// Many changes, one drawing.
function changed(names) {
  for (const name of names ?? feed.streams.keys()) dirty.add(name);
  if (names === null) dirty.add("");
  if (waiting) return;
  waiting = true;
  // A page in the background gets no frames, and its newest state waits.
  requestAnimationFrame(render);
}

function render() {
  waiting = false;
  const now = feed.now();
  if (dirty.has("")) {
    forgetGone();
    if (page.name) page.show(); // which may be one of those
  }
  for (const name of dirty) {
    const stream = feed.streams.get(name);
    if (!stream) continue;
    say(stream, now);
    if (page.name === name) page.show();
    else if (!page.name) tile(name).show(stream, now);
  }
  if (!page.name) dirty.clear();
  summarise(now);
}

function tile(name) {
  if (!tiles.has(name)) {
    const one = new Tile(name);
    tiles.set(name, one);
    const after = [...tiles.keys()].filter((other) => other > name).sort()[0];
    at("streams").insertBefore(one.element, after ? tiles.get(after).element : null);
  }
  return tiles.get(name);
}

function forgetGone() {
  for (const [name, one] of tiles) {
    if (feed.streams.has(name)) continue;
    one.element.remove();
    tiles.delete(name);
    captions.delete(name);
  }
}

function summarise(now) {
  const streams = [...feed.streams.values()];
  const live = streams.filter((stream) => stateOf(stream, now) === "live").length;
  const second = Math.floor(now);
  const recent = streams.reduce((sum, { rate: { until, bytes } }) => sum + bytes.filter((_, index) => until - 60 + index > second - 10).reduce((one, size) => one + size, 0), 0);
  const count = `${streams.length} ${streams.length === 1 ? "stream" : "streams"}`;
  setText(at("summary"), feed.connected ? `${count}, ${live} live · ${rate(recent / 10)}` : "");
  setHidden(at("empty"), streams.length > 0 || !feed.heard || Boolean(page.name));
}

// New captions and states, not more often than one can listen to.
function say(stream, now) {
  const text = `${stream.name}: ${complaintOf(stream, now) ? stream.state : stream.caption || stream.state}`;
  if (captions.get(stream.name) === text) return;
  captions.set(stream.name, text);
  if (page.name && page.name !== stream.name) return;
  clearTimeout(sayLater);
  sayLater = setTimeout(() => { lastSaid = Date.now(); setText(at("said"), text); }, Math.max(0, lastSaid + QUIET - Date.now()));
}

// Whoever types an address may type anything.
function hashName() {
  const hash = location.hash.slice(1);
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}

function route() {
  const name = hashName();
  const known = name && name !== "streams";
  setHidden(at("stream"), !known);
  setHidden(at("streams"), Boolean(known));
  if (known) {
    page.open(name);
    at("stream").focus({ preventScroll: true });
    scrollTo(0, 0);
  } else {
    const left = page.name;
    if (left) page.close();
    changed([]);
    if (left) tiles.get(left)?.element.querySelector("a").focus();
  }
  document.title = known ? `${name} – MISC` : "MISC";
}

function showPreferences() {
  at("coarse").setAttribute("aria-pressed", preferences.coarse);
  at("outlines").setAttribute("aria-pressed", preferences.outlines);
  setText(at("theme-name"), `Theme: ${theme()}`);
  changed([...feed.streams.keys()]);
}

const KEYS = {
  c: () => toggle("coarse"),
  o: () => toggle("outlines"),
  t: nextTheme,
  "?": () => at("keys").showModal(),
  l: () => page.name && page.live(),
  Escape: () => { if (page.name) location.hash = ""; },
  ArrowLeft: () => page.name && page.step(-1),
  ArrowRight: () => page.name && page.step(1),
};

document.addEventListener("keydown", (event) => {
  const slides = event.target instanceof HTMLInputElement && event.key.startsWith("Arrow");
  if (event.ctrlKey || event.metaKey || event.altKey || slides || at("keys").open) return;
  KEYS[event.key]?.();
});
at("coarse").addEventListener("click", () => toggle("coarse"));
at("outlines").addEventListener("click", () => toggle("outlines"));
at("theme").addEventListener("click", nextTheme);
at("help").addEventListener("click", () => at("keys").showModal());
at("logout").addEventListener("click", async () => {
  await fetch("/logout", { method: "POST", redirect: "manual" });
  location.assign("/login");
});
addEventListener("hashchange", route);

// Where nobody needs to log in, the login leads back here.
async function offerLogout() {
  const answer = await fetch("/login", { method: "HEAD", redirect: "manual" });
  setHidden(at("logout"), !answer.ok);
}

feed.onchange = changed;
feed.onconnection = (connected) => {
  setHidden(at("lost"), connected);
  setText(at("lost"), connected ? "" : "The receiver does not answer. What you see is old; trying again.");
  document.body.classList.toggle("away", !connected);
};
onPreference(showPreferences);
applyTheme();
route();
offerLogout().catch(() => {}); // the feed says that the receiver is away

// Ages and plots go on while nothing comes.
setInterval(() => {
  if (document.hidden) return;
  if (page.name) page.tick();
  else for (const one of tiles.values()) one.tick(feed.now());
  summarise(feed.now());
}, 1000);
