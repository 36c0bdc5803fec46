// Small plots in SVG: bytes by layer, the link's rate, and the time line.

import { draw } from "./dom.js";
import { LAYERS, LAYER_NAMES, bytes, rate, total } from "./text.js";

export class LayerBar {
  constructor() {
    this.element = draw("svg", { class: "stack", viewBox: "0 0 100 1", preserveAspectRatio: "none", role: "img" });
    this._rects = LAYERS.map((layer) => draw("rect", { class: `layer-${layer}`, y: 0, height: 1 }));
    this.element.append(...this._rects);
  }

  show(byLayer) {
    const sum = total(byLayer) || 1;
    let left = 0;
    LAYERS.forEach((layer, index) => {
      const width = (100 * (byLayer?.[layer] ?? 0)) / sum;
      this._rects[index].setAttribute("x", left);
      this._rects[index].setAttribute("width", width);
      left += width;
    });
    const parts = LAYERS.filter((layer) => byLayer?.[layer]).map((layer) => `${LAYER_NAMES[layer]} ${byLayer[layer]}`);
    this.element.setAttribute("aria-label", `${bytes(total(byLayer))} by layer: ${parts.join(", ") || "none yet"}`);
  }
}

export class RatePlot {
  constructor() {
    this.element = draw("svg", { class: "spark", viewBox: "0 0 60 20", preserveAspectRatio: "none", role: "img" });
    this._area = draw("path", { class: "area" });
    this._line = draw("path", { class: "line" });
    this.element.append(this._area, this._line);
    this.peak = 0;
    this.mean = 0;
  }

  // Shifted to the present, so that silence is seen as it lasts.
  show(series, now) {
    const shift = Math.min(60, Math.max(0, Math.floor(now) + 1 - series.until));
    const sizes = [...series.bytes.slice(shift), ...Array(shift).fill(0)].map((size, at, all) => {
      const near = all.slice(Math.max(0, at - 1), at + 2);
      return near.reduce((sum, one) => sum + one, 0) / near.length;
    });
    this.peak = Math.max(...sizes);
    this.mean = sizes.slice(-10).reduce((sum, size) => sum + size, 0) / 10;
    const height = (size) => (19 - (18 * size) / (this.peak || 1)).toFixed(2);
    const line = sizes.map((size, at) => `${at ? "L" : "M"}${((60 * at) / 59).toFixed(2)} ${height(size)}`).join("");
    this._line.setAttribute("d", line);
    this._area.setAttribute("d", `${line}L60 20L0 20Z`);
    this.element.setAttribute("aria-label", `Link in the last minute: ${rate(this.mean)} now, at most ${rate(this.peak)}`);
  }
}

export class FrameStrip {
  constructor() {
    this.element = draw("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" });
  }

  show(frames, chosen) {
    const most = Math.max(1, ...frames.map((frame) => total(frame.bytes)));
    const width = 100 / Math.max(frames.length, 25);
    const bars = frames.flatMap((frame, at) => this._bar(frame, at * width, width, most, frame.id === chosen));
    this.element.replaceChildren(...bars);
  }

  _bar(frame, left, width, most, chosen) {
    const parts = chosen ? [draw("rect", { class: "chosen", x: left, y: 0, width, height: 40 })] : [];
    let top = 40;
    for (const layer of LAYERS) {
      const height = (36 * (frame.bytes?.[layer] ?? 0)) / most;
      if (!height) continue;
      top -= height;
      parts.push(draw("rect", { class: `layer-${layer}`, x: left + width * 0.12, y: top, width: width * 0.76, height }));
    }
    if (frame.missing?.length) parts.push(draw("rect", { class: "lacks", x: left + width * 0.12, y: Math.max(0, top - 2.5), width: width * 0.76, height: 1.5 }));
    return parts;
  }
}
