// One stream on the wall.

import { make, setHidden, setText } from "./dom.js";
import { FrameView } from "./frame-view.js";
import { LayerBar, RatePlot } from "./plots.js";
import { preferences } from "./preferences.js";
import { age, bytes, rate, stateWords, total } from "./text.js";

// The best picture of a frame, or the coarse one where nothing generated is wanted.
export function pictureOf(frame) {
  if (!frame) return null;
  const best = frame.refined ?? frame.preview ?? frame.coarse;
  return preferences.coarse ? (frame.coarse ?? null) : (best ?? null);
}

// Seconds since capture by the receiver's clock; since decoding where the sender's clock is unknown.
export function ageOf(frame, now) {
  if (!frame) return null;
  const decoded = (frame.coarse ?? frame.preview ?? frame.refined)?.decoded ?? frame.seen;
  const captured = frame.captured && frame.captured <= decoded + 2 ? frame.captured : decoded;
  return Math.max(0, now - captured);
}

// A camera that takes a picture in ten minutes is not stale for nine of them.
export function stateOf(stream, now) {
  const usual = 1.5 * (stream.every ?? 0);
  return stream.state === "stale" && now - (stream.heard ?? stream.since) < usual ? "live" : stream.state;
}

// What is wrong with a stream, in a few words; empty if nothing is.
export function complaintOf(stream, now) {
  const state = stateOf(stream, now);
  const silence = age(Math.max(2, now - (stream.heard ?? stream.since))).replace(" ago", "");
  if (state === "stale") return `stale: silent for ${silence}`;
  if (state === "gone") return "ended";
  return "";
}

// Bytes of the picture shown; and, on a slow link, of the next one, so that one sees it come.
function sizeOf(stream) {
  const now = stream.shown ? bytes(total(stream.shown.bytes)) : "";
  if (!stream.coming) return now ? `${now} a picture` : "nothing yet";
  return now ? `${now}, next one: ${bytes(stream.coming)} so far` : `first one: ${bytes(stream.coming)} so far`;
}

export class Tile {
  constructor(name) {
    this.element = make("article", { class: "tile", "aria-labelledby": `name-${name}` });
    this._view = new FrameView();
    this._made = make("span", { class: "chip made" }, "generated");
    this._old = make("span", { class: "chip old" });
    this._age = make("span", { class: "age" });
    this._dot = make("span", { class: "dot", role: "img" });
    this._caption = make("p", { class: "caption" });
    this._bar = new LayerBar();
    this._rate = new RatePlot();
    this._size = make("span");
    this._speed = make("span");
    this._view.element.append(make("p", { class: "chips" }, this._made, this._old));
    const title = make("h2", { id: `name-${name}` }, make("a", { href: `#${name}` }, name));
    this.element.append(
      this._view.element,
      make("div", { class: "body" },
        make("header", {}, this._dot, title, this._age),
        this._caption,
        make("div", { class: "figures" },
          make("div", {}, this._size, this._bar.element),
          make("div", {}, this._speed, this._rate.element))),
    );
    new ResizeObserver(() => this._view.fit()).observe(this._view.element);
  }

  show(stream, now) {
    this._stream = stream;
    const frame = stream.shown, picture = pictureOf(frame);
    setText(this._view.words, stream.caption || (stream.state === "waiting" ? "waiting for the first picture" : "…"));
    this._view.show(picture, `${stream.name}: ${frame?.caption || "no caption"}`, { stream: stream.name, frame: frame?.id });
    this._view.items(preferences.outlines ? frame?.items : null);
    setText(this._caption, stream.caption ?? "");
    setHidden(this._made, !picture?.generated);
    this._bar.show(frame?.bytes);
    setText(this._size, sizeOf(stream));
    this.tick(now);
  }

  // What changes with time alone.
  tick(now) {
    const stream = this._stream, seconds = ageOf(stream.shown, now), state = stateOf(stream, now);
    if (this.element.className !== `tile ${state}`) this.element.className = `tile ${state}`;
    setText(this._age, seconds === null ? "" : `taken ${age(seconds)}`);
    const complaint = complaintOf(stream, now);
    setText(this._old, complaint);
    setHidden(this._old, !complaint);
    if (this._dot.getAttribute("aria-label") !== stateWords(state)) this._dot.setAttribute("aria-label", stateWords(state));
    this._rate.show(stream.rate, now);
    setText(this._speed, rate(this._rate.mean));
  }
}
