// Words for numbers.

export const LAYERS = ["base", "text", "detail1", "maps", "detail2"];
export const LAYER_NAMES = { base: "Base", text: "Text", detail1: "Detail 1", maps: "Maps", detail2: "Detail 2" };
export const ITEM_COLOURS = ["#ffd166", "#06d6a0", "#ef476f", "#5cc3e0"];

export function age(seconds) {
  if (seconds < 1.5) return "now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

export function bytes(count) {
  if (count < 10000) return `${Math.round(count)} B`;
  if (count < 1e6) return `${(count / 1000).toFixed(count < 1e5 ? 1 : 0)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

export function rate(bytesPerSecond) {
  const bits = bytesPerSecond * 8;
  if (bits < 1000) return `${Math.round(bits)} bit/s`;
  return `${(bits / 1000).toFixed(bits < 1e4 ? 1 : 0)} kbit/s`;
}

export function clock(unix) {
  return new Date(unix * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function total(byLayer) {
  return Object.values(byLayer ?? {}).reduce((sum, size) => sum + size, 0);
}

export function stateWords(state) {
  return { waiting: "waiting", live: "live", stale: "stale", gone: "ended" }[state];
}
