// The streams as the receiver tells them. Only the newest state of each is kept.

const SILENCE = 40000; // the receiver says something every 15 s
const RETRY = [500, 1000, 2000, 4000, 8000];

export class Feed {
  constructor() {
    this.streams = new Map();
    this.connected = false;
    this.heard = false;
    this.onchange = () => {};
    this.onconnection = () => {};
    this._offset = null;
    this._tries = 0;
    this._open();
  }

  // Unix seconds by the receiver's clock.
  now() {
    return Date.now() / 1000 + (this._offset ?? 0);
  }

  _open() {
    this._source = new EventSource("/live");
    this._source.onmessage = (event) => this._take(JSON.parse(event.data));
    this._source.onerror = () => this._retry();
    this._watch();
  }

  _take(update) {
    const offset = update.now - Date.now() / 1000;
    // A message can only be late: the largest offset is the nearest to the truth.
    this._offset = this._offset === null || update.all ? offset : Math.max(this._offset, offset);
    if (update.all) this.streams.clear();
    const changed = update.streams.map((stream) => stream.name);
    for (const stream of update.streams) this.streams.set(stream.name, stream);
    this._tries = 0;
    this.heard = true;
    this._connect(true);
    this._watch();
    if (update.all || changed.length) this.onchange(update.all ? null : changed);
  }

  _watch() {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._retry(), SILENCE);
  }

  async _retry() {
    this._source.close();
    this._connect(false);
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._again(), RETRY[Math.min(this._tries++, RETRY.length - 1)]);
  }

  // An EventSource cannot say that the token changed; a plain request can.
  async _again() {
    try {
      const answer = await fetch("/streams", { cache: "no-store" });
      if (answer.status === 401) return location.assign("/login");
      if (!answer.ok) throw new Error(answer.statusText);
    } catch {
      return this._retry();
    }
    this._open();
  }

  _connect(connected) {
    if (connected !== this.connected) {
      this.connected = connected;
      this.onconnection(connected);
    }
  }
}
