// One stream in full: both pictures with a slider between them, the last frames, words and figures.

import { draw, make, setHidden, setText } from "./dom.js";
import { FrameView } from "./frame-view.js";
import { FrameStrip, LayerBar, RatePlot } from "./plots.js";
import { preferences } from "./preferences.js";
import { ageOf, complaintOf, stateOf } from "./tile.js";
import { ITEM_COLOURS, LAYERS, LAYER_NAMES, age, bytes, clock, rate, total } from "./text.js";

export class StreamPage {
  constructor(element, feed) {
    this._element = element;
    this._feed = feed;
    this._build();
  }

  open(name) {
    this.name = name;
    this._frames = [];
    this._chosen = null; // null follows the newest
    this._split = 50;
    this._slider.value = 50;
    this._loaded = false;
    this.show();
  }

  close() {
    this.name = null;
    this._left.show(null);
    this._right.show(null);
  }

  // Something of the stream changed.
  show() {
    const stream = this._feed.streams.get(this.name);
    setText(this._title, this.name);
    for (const part of this._parts) setHidden(part, !stream);
    setHidden(this._unknown, Boolean(stream) || !this._feed.heard);
    if (!stream) return this._forget();
    if (!this._loaded) this._load();
    this._merge(stream.shown);
    this._render();
  }

  tick() {
    const stream = this._feed.streams.get(this.name);
    if (!stream) return;
    const now = this._feed.now(), frame = this._frame();
    const look = `one ${this._chosen ? "" : stateOf(stream, now)}`;
    if (this._element.className !== look) this._element.className = look;
    const seconds = ageOf(frame, now), complaint = complaintOf(stream, now);
    setText(this._age, seconds === null ? "" : `taken ${age(seconds)}`);
    setText(this._old, complaint);
    setHidden(this._old, !complaint);
    this._rate.show(stream.rate, now);
    setText(this._speed, `${rate(this._rate.mean)} now, at most ${rate(this._rate.peak)}`);
  }

  step(by) {
    const at = this._frames.indexOf(this._frame());
    this._choose(Math.min(this._frames.length - 1, Math.max(0, at + by)));
  }

  live() {
    this._chosen = null;
    this._render();
  }

  // The receiver knows no such stream: it has been started again, or the address is wrong.
  _forget() {
    this._frames = [];
    this._chosen = null;
    this._loaded = false;
    this._element.className = "one";
    setText(this._age, "");
    setHidden(this._old, true);
  }

  async _load() {
    const name = this.name;
    this._loaded = true;
    try {
      const answer = await fetch(`/streams/${encodeURIComponent(name)}/frames`);
      if (!answer.ok || name !== this.name) return;
      this._frames = (await answer.json()).filter((frame) => frame.coarse || frame.refined);
    } catch {
      return; // the feed says that the receiver is away
    }
    this.show();
  }

  // The newest frame goes to the end; where some were missed, the list is fetched anew.
  _merge(frame) {
    if (!frame) return;
    const at = this._frames.findIndex((known) => known.id === frame.id);
    if (at >= 0) this._frames[at] = frame;
    else if (this._frames.length) {
      const last = this._frames.at(-1);
      this._frames.push(frame);
      if (last.number + 1 !== frame.number && !this._fetching) this._refetch();
    } else this._frames.push(frame);
    this._frames.splice(0, this._frames.length - 100);
    if (this._chosen && !this._frames.some((known) => known.id === this._chosen)) this._chosen = null;
  }

  _refetch() {
    this._fetching = setTimeout(() => { this._fetching = null; if (this._feed.streams.has(this.name)) this._load(); }, 2000);
  }

  _frame() {
    return (this._chosen && this._frames.find((frame) => frame.id === this._chosen)) ?? this._frames.at(-1);
  }

  _choose(at) {
    this._chosen = at >= this._frames.length - 1 ? null : this._frames[at].id;
    this._render();
  }

  _render() {
    const frame = this._frame(), stream = this._feed.streams.get(this.name);
    this._pictures(frame, stream);
    this._words(frame, stream);
    this._figures(frame);
    this._timeline(frame);
    this._downloads(frame);
    this.tick();
  }

  _pictures(frame, stream) {
    const coarse = frame?.coarse, right = preferences.coarse ? coarse : (frame?.refined ?? frame?.preview ?? coarse);
    const both = Boolean(coarse && right && coarse !== right);
    const says = frame?.caption || "no caption";
    if (right) this._both.style.aspectRatio = `${right.width} / ${right.height}`;
    setText(this._right.words, stream?.caption || "waiting for the first picture");
    this._right.show(right, `${this.name}, ${right?.kind ?? ""}: ${says}`, this._chosen ? null : { stream: this.name, frame: frame?.id });
    this._left.show(both ? coarse : null, `${this.name}, coarse: ${says}`);
    this._right.items(preferences.outlines ? frame?.items : null);
    this._left.items(preferences.outlines && both ? frame?.items : null);
    this._left.words.hidden = true;
    for (const part of [this._slider, this._line, this._left.element, this._leftName]) setHidden(part, !both);
    setHidden(this._rightName, !right);
    setText(this._rightName, right?.generated ? `${right.kind}: generated` : right?.note ? "coarse: refined one rejected" : (right?.kind ?? ""));
    this._rightName.classList.toggle("made", Boolean(right?.generated));
    this._divide();
  }

  _divide() {
    this._line.style.left = `${this._split}%`;
    this._left.element.style.clipPath = `inset(0 ${100 - this._split}% 0 0)`;
  }

  _words(frame, stream) {
    setText(this._caption, (this._chosen ? frame?.caption : stream?.caption) || "No words came with this picture.");
    const key = JSON.stringify(frame?.items ?? []);
    if (key === this._itemsKey) return;
    this._itemsKey = key;
    this._items.replaceChildren(...(frame?.items ?? []).map((item, index) => {
      const dot = make("i");
      dot.style.background = item.outline ? ITEM_COLOURS[index % ITEM_COLOURS.length] : "transparent";
      return make("li", {}, dot, make("span", {}, item.name, item.detail ? make("small", {}, ` ${item.detail}`) : null));
    }));
  }

  _figures(frame) {
    const picture = frame?.refined ?? frame?.coarse, sum = total(frame?.bytes);
    this._bar.show(frame?.bytes);
    for (const layer of LAYERS) {
      const size = frame?.bytes?.[layer];
      setText(this._cells[layer], size ? `${size} B` : frame?.missing?.includes(layer) ? "never came" : "–");
    }
    setText(this._sum, `${sum} B`);
    setText(this._bpp, picture && sum ? ((8 * sum) / picture.width / picture.height).toFixed(4) : "–");
    setText(this._dimensions, picture ? `${picture.width} × ${picture.height}` : "–");
    setText(this._captured, frame?.captured ? clock(frame.captured) : "unknown");
    setText(this._coding, { key: "stands alone", delta: "what changed" }[frame?.coding] ?? "–");
    setText(this._id, frame?.id ?? "–");
  }

  _timeline(frame) {
    const at = this._frames.indexOf(frame), count = this._frames.length;
    this._strip.show(this._frames, frame?.id);
    this._range.max = Math.max(0, Math.max(count, 25) - 1);
    this._range.value = Math.max(0, at);
    const said = frame ? `frame ${at + 1} of ${count}, ${clock(frame.captured ?? frame.seen)}, ${total(frame.bytes)} bytes` : "no frame yet";
    this._range.setAttribute("aria-valuetext", said);
    setText(this._place, frame ? `${at + 1} of ${count} · ${clock(frame.captured ?? frame.seen)} · ${bytes(total(frame.bytes))}` : "");
    this._back.disabled = !this._chosen;
    setText(this._back, this._chosen ? "Back to live" : "Live");
  }

  _downloads(frame) {
    const stream = `/streams/${this.name}`, folder = this._chosen ? `${stream}/frames/${frame.id}` : stream;
    const format = this._chosen ? "jpg" : "png", stem = `${this.name}-${frame?.id}`;
    this._save(this._saveCoarse, frame?.coarse && `${folder}/coarse.${format}`, `${stem}.coarse.${format}`);
    this._save(this._saveRefined, frame?.refined && `${folder}/refined.${format}`, `${stem}.refined.${format}`);
    this._save(this._saveWords, frame && `${stream}/frames/${frame.id}/semantics.json`, `${stem}.json`);
    this._save(this._saveRecording, `${stream}/recording.misc`, `${this.name}.misc`);
  }

  _save(link, href, name) {
    setHidden(link, !href);
    if (href && link.getAttribute("href") !== href) { link.href = href; link.download = name; }
  }

  _build() {
    this._title = make("h2");
    this._age = make("span", { class: "age" });
    this._old = make("span", { class: "chip old" });
    const back = make("a", { class: "button back", href: "#", "aria-label": "All streams" }, "←");
    this._unknown = make("p", { class: "empty", hidden: "" }, "Nothing is heard of this stream. Its pictures appear here as soon as it is.");
    this._parts = [this._buildStage(), this._buildPanel()];
    this._element.append(make("div", { class: "head" }, back, this._title, this._age, this._old), this._unknown, ...this._parts);
    new ResizeObserver(() => { this._left.fit(); this._right.fit(); }).observe(this._both);
  }

  _buildStage() {
    this._left = new FrameView();
    this._right = new FrameView();
    this._line = make("div", { class: "split" });
    this._leftName = make("span", { class: "side left" }, "coarse");
    this._rightName = make("span", { class: "side right" });
    this._slider = make("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "Coarse picture up to here, refined beyond, in percent" });
    this._slider.addEventListener("input", () => { this._split = Number(this._slider.value); this._divide(); });
    this._both = make("div", { class: "both" }, this._right.element, this._left.element, this._line, this._leftName, this._rightName, this._slider);
    this._strip = new FrameStrip();
    this._range = make("input", { type: "range", min: 0, max: 0, "aria-label": "Frame" });
    this._range.addEventListener("input", () => this._choose(Math.min(Number(this._range.value), this._frames.length - 1)));
    this._place = make("span");
    this._back = make("button", { type: "button", "aria-keyshortcuts": "l" }, "Live");
    this._back.addEventListener("click", () => this.live());
    const line = make("div", { class: "line" }, make("div", { class: "strip" }, this._strip.element, this._range), make("div", { class: "scale" }, this._place, this._back));
    return make("div", { class: "stage" }, this._both, line);
  }

  _buildPanel() {
    this._caption = make("p", { class: "quote" });
    this._items = make("ul", { class: "items" });
    const section = (title, ...parts) => make("section", {}, make("h3", {}, title), ...parts);
    return make("div", { class: "side-panel" },
      section("In words", this._caption, this._items),
      section("Bytes of this picture", ...this._buildBytes()),
      section("Link, last minute", ...this._buildRate()),
      section("Picture", this._buildFacts()),
      section("Save", this._buildSaves(), make("p", { class: "note" }, "The recording plays with misc-recv --from file:PATH.")));
  }

  _buildBytes() {
    this._bar = new LayerBar();
    this._cells = {};
    const rows = LAYERS.map((layer) => {
      this._cells[layer] = make("td");
      const swatch = draw("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, draw("rect", { class: `layer-${layer}`, width: 1, height: 1 }));
      return make("tr", {}, make("th", { scope: "row" }, swatch, LAYER_NAMES[layer]), this._cells[layer]);
    });
    this._sum = make("td");
    const head = make("thead", { class: "hidden" }, make("tr", {}, make("th", { scope: "col" }, "Layer"), make("th", { scope: "col" }, "Bytes")));
    const foot = make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, "All"), this._sum));
    return [this._bar.element, make("table", { class: "layers" }, head, make("tbody", {}, ...rows), foot)];
  }

  _buildRate() {
    this._rate = new RatePlot();
    this._speed = make("p", { class: "note" });
    return [this._rate.element, make("p", { class: "axis", "aria-hidden": "true" }, make("span", {}, "60 s ago"), make("span", {}, "now")), this._speed];
  }

  _buildFacts() {
    const fact = (name, key) => [make("dt", {}, name), (this[key] = make("dd"))];
    return make("dl", { class: "facts" }, ...fact("Captured", "_captured"), ...fact("Size", "_dimensions"), ...fact("Bits a pixel", "_bpp"), ...fact("Coding", "_coding"), ...fact("Frame", "_id"));
  }

  _buildSaves() {
    const link = (key, text) => (this[key] = make("a", { class: "button", download: "" }, text));
    return make("p", { class: "saves" }, link("_saveCoarse", "Coarse"), link("_saveRefined", "Refined"), link("_saveWords", "Words and maps"), link("_saveRecording", "Recording"));
  }
}
