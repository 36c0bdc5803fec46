// A picture in a box that never changes its size: decoded out of sight, then swapped in one step.

import { draw, make } from "./dom.js";
import { ITEM_COLOURS } from "./text.js";

export class FrameView {
  constructor() {
    this.element = make("div", { class: "frame" });
    this.words = make("p", { class: "words" });
    this.element.append(this.words);
    this._image = null;
    this._shown = "";
    this._wanted = null;
    this._busy = false;
    this._overlay = null;
  }

  // While one picture loads, only the newest of those that come is remembered.
  show(picture, description, detail) {
    this._description = description;
    if (!picture) {
      this._wanted = null;
      this._swap(null);
    } else if (picture.url !== this._shown || this._busy) {
      this._wanted = { picture, detail };
      this._load();
    } else if (this._image) {
      this._describe(this._image);
    }
  }

  items(items) {
    const key = items ? JSON.stringify(items) : "";
    if (key === this._itemsKey && this._placedFor === this._shown) return;
    this._itemsKey = key;
    this._items = items;
    this._place();
  }

  async _load() {
    if (this._busy) return;
    this._busy = true;
    while (this._wanted) {
      const { picture, detail } = this._wanted;
      this._wanted = null;
      if (picture.url === this._shown) continue;
      const image = new Image(picture.width, picture.height);
      image.decoding = "async";
      image.src = picture.url;
      try {
        await image.decode();
      } catch {
        continue; // a newer one took its place at the receiver
      }
      this._shown = picture.url;
      this._swap(image);
      if (detail) painted(() => document.dispatchEvent(new CustomEvent("picture-shown", { detail: { ...detail, ...picture, shown: Date.now() / 1000 } })));
    }
    this._busy = false;
  }

  _swap(image) {
    if (image) this._describe(image);
    if (this._image && image) this._image.replaceWith(image);
    else if (image) this.element.prepend(image);
    else this._image?.remove();
    this._image = image;
    if (!image) this._shown = "";
    this.words.hidden = Boolean(image);
    this._place();
  }

  _describe(image) {
    if (image.alt !== this._description) image.alt = this._description;
  }

  // Outlines lie on the picture itself, which the box may show with a margin.
  _place() {
    this._placedFor = this._shown;
    this._overlay?.remove();
    this._names?.remove();
    this._overlay = this._names = null;
    const mapped = (this._items ?? []).filter((item) => item.outline);
    if (!mapped.length || !this._image) return;
    this._overlay = draw("svg", { class: "outlines", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
    this._names = make("div", { class: "names", "aria-hidden": "true" });
    this._items.forEach((item, index) => {
      if (!item.outline) return;
      const colour = ITEM_COLOURS[index % ITEM_COLOURS.length];
      const scale = `scale(${1 / item.columns} ${1 / item.rows})`;
      this._overlay.append(draw("path", { d: item.outline, transform: scale, class: "halo" }), draw("path", { d: item.outline, transform: scale, stroke: colour }));
      const name = make("span", {}, item.name);
      name.style.background = colour;
      name.style.left = `${(100 * item.label[0]) / item.columns}%`;
      name.style.top = `${(100 * item.label[1]) / item.rows}%`;
      this._names.append(name);
    });
    this.element.append(this._overlay, this._names);
    this.fit();
  }

  fit() {
    if (!this._overlay || !this._image) return;
    const box = { width: this.element.clientWidth, height: this.element.clientHeight };
    const scale = Math.min(box.width / this._image.naturalWidth, box.height / this._image.naturalHeight);
    const width = this._image.naturalWidth * scale, height = this._image.naturalHeight * scale;
    for (const layer of [this._overlay, this._names]) {
      Object.assign(layer.style, { width: `${width}px`, height: `${height}px`, left: `${(box.width - width) / 2}px`, top: `${(box.height - height) / 2}px` });
    }
  }
}

// Callbacks of a frame run before it is painted, tasks after it.
function painted(then) {
  requestAnimationFrame(() => setTimeout(then));
}
