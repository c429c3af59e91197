// The stream of results, one connection for the whole page, and what it has brought so far.

const KEPT = 500;

class Feed extends EventTarget {
  results = [];  // newest first, at most KEPT
  state = 'closed';  // connecting, live or closed
  gap = null;  // why results are missing, if some are
  #source = null;

  open() {
    if (this.#source) return;
    this.#turn('connecting');
    const source = this.#source = new EventSource('/v1/stream');
    source.addEventListener('open', () => this.#turn('live'));
    source.addEventListener('error', () => {
      // The browser tries again by itself, with Last-Event-ID, unless the server has refused.
      if (source.readyState !== EventSource.CLOSED) return this.#turn('connecting');
      this.close();
      this.#retry = setTimeout(() => this.open(), 5000);
    });
    for (const kind of ['tag', 'alert']) source.addEventListener(kind, event => this.#take(event));
    source.addEventListener('gap', event => {
      this.gap = JSON.parse(event.data).reason ?? '';
      this.dispatchEvent(new Event('state'));
    });
  }

  #retry = null;
  close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    this.#turn('closed');
  }

  #turn(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  #take(event) {
    const result = JSON.parse(event.data);
    result.seen = performance.timeOrigin + performance.now();
    this.results.unshift(result);
    if (this.results.length > KEPT) this.results.pop();
    this.dispatchEvent(new CustomEvent('result', {detail: result}));
  }
}

export const feed = new Feed();
