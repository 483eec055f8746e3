// Runs classifier modules: one policy's rules and detectors as WebAssembly, made by
// privet compile --target wasm. See classifier.d.ts for the documentation of what is
// exported, and ../ABI.md for the interface. This file needs no other.

const MAJOR = 1;
const SECTION = 'privacy.abi';
const DECLARED = 65535;
const KEYS = ['name', 'path', 'type', 'source', 'description', 'value', 'tags', 'context'];
// Room for the name at the beginning of the input buffer; the value stands behind it.
const HEAD = 1024;
// Up to so many units a loop is faster than TextEncoder.
const SHORT = 24;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const CODES = {
  INTERNAL: [-1, 'a fault inside the module; its instance was discarded', 'ask again; if it stays, compile the policy again and report it'],
  BAD_POINTER: [-4, 'the module did not take the place of the input', 'compile the policy again'],
  TOO_LARGE: [-5, 'the input is longer than this module takes', 'send less at once, or compile the policy with a larger limit'],
  BAD_REQUEST: [-8, 'the module could not read the field', 'compile the policy again'],
  INSTANCE_LOST: [0, 'the instance gave up or answered what cannot be, and was discarded', 'ask again; the next call has a new instance'],
  NOT_MODULE: [0, 'not a classifier module', 'make one with privet compile --target wasm; privet.wasm is opened by index.js'],
  NOT_FOUND: [0, 'the module could not be fetched', 'look at the address and the status of the response'],
  ABI: [0, 'the module has another version of the interface', 'use the classifier.js that came with it'],
  BAD_ARGUMENT: [0, 'a field has a key or a value that cannot be', 'see the documentation of field; values are texts, finite numbers or booleans'],
  CLOSED: [0, 'this classifier is closed', 'load the module again'],
};

export class ClassifierError extends Error {
  constructor(code, options) {
    super(`privet: ${CODES[code][1]}; ${CODES[code][2]}`, options);
    this.name = 'ClassifierError';
    this.code = code;
    this.mend = CODES[code][2];
  }
}

// What is small is compiled and started at once, sooner than another thread is asked to.
// Browsers may refuse that on their main thread.
async function soon(now, later) {
  try {
    return now();
  } catch (err) {
    if (!(err instanceof RangeError)) throw err;
    return later();
  }
}

async function compiled(source) {
  source = await source;
  if (source instanceof WebAssembly.Module) return source;
  try {
    // A response, told by what it can do: Node loads a whole HTTP client to tell its class.
    if (typeof source.arrayBuffer === 'function') {
      if (source.ok === false) throw new ClassifierError('NOT_FOUND');
      // Streaming needs the right type; servers often have another for .wasm.
      if (WebAssembly.compileStreaming && /^application\/wasm$/i.test(source.headers?.get('content-type') ?? '')) {
        return await WebAssembly.compileStreaming(source);
      }
      source = await source.arrayBuffer();
    }
    // Not every engine takes every view.
    if (ArrayBuffer.isView(source)) source = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    if (source.byteLength > 131072) return await WebAssembly.compile(source);
    return await soon(() => new WebAssembly.Module(source), () => WebAssembly.compile(source));
  } catch (err) {
    throw err instanceof ClassifierError ? err : new ClassifierError('NOT_MODULE');
  }
}

export class Classifier {
  #module;
  #utf16;
  #about;
  #x = null; // exports; null when there is no instance
  #u8; // the whole memory, and parts of it; renewed when it grew
  #u32;
  #head;
  #tail;
  #at = 0; // the input buffer
  #size = 0;
  #desc = 0; // the descriptor, counted in numbers

  rows = new Uint32Array(64);

  static async load(source, { spans = 'bytes' } = {}) {
    if (spans !== 'bytes' && spans !== 'utf16') throw new ClassifierError('BAD_ARGUMENT');
    const self = new Classifier();
    self.#utf16 = spans === 'utf16';
    self.#module = await compiled(source);
    const section = WebAssembly.Module.customSections(self.#module, SECTION)[0];
    let info;
    try {
      info = JSON.parse(decoder.decode(section));
    } catch {
      throw new ClassifierError('NOT_MODULE');
    }
    if (info?.kind !== 'classifier') throw new ClassifierError('NOT_MODULE');
    if (info.abi?.major !== MAJOR) throw new ClassifierError('ABI');
    try {
      const { exports } = await soon(() => new WebAssembly.Instance(self.#module), () => WebAssembly.instantiate(self.#module));
      self.#open(exports);
    } catch (err) {
      throw err instanceof ClassifierError && err.code === 'ABI' ? err : new ClassifierError('NOT_MODULE');
    }
    return self;
  }

  #open(x) {
    if (x.pv1_abi() >> 16 !== MAJOR) throw new ClassifierError('ABI');
    this.#desc = x.pv1_result() >>> 2;
    const status = x.pv1_describe();
    this.#x = x;
    this.#view();
    if (status !== 0) throw new ClassifierError('NOT_MODULE');
    const at = this.#u32[this.#desc];
    this.#about ??= JSON.parse(decoder.decode(this.#u8.subarray(at, at + this.#u32[this.#desc + 1])));
    this.#size = 0;
    this.#room(Math.min(16384, this.#about.max_input));
  }

  /** The exports, of a new instance if the last one was lost. */
  #live() {
    if (this.#x === null) {
      if (this.#module === null) throw new ClassifierError('CLOSED');
      try {
        this.#open(new WebAssembly.Instance(this.#module).exports);
      } catch {
        throw this.#lost();
      }
    }
    return this.#x;
  }

  #lost(code = 'INSTANCE_LOST') {
    this.#x = null;
    return new ClassifierError(code);
  }

  /** What became of a call that gave no number of rows. */
  #refused(status) {
    for (const code in CODES) {
      if (CODES[code][0] === status && status !== 0) return status === -1 ? this.#lost(code) : new ClassifierError(code);
    }
    return this.#lost();
  }

  #view() {
    const buffer = this.#x.memory.buffer;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#parts();
  }

  #parts() {
    const head = Math.min(HEAD, this.#size >> 1);
    this.#head = this.#u8.subarray(this.#at, this.#at + head);
    this.#tail = this.#u8.subarray(this.#at + head, this.#at + this.#size);
  }

  /** Makes room in the input buffer. */
  #room(bytes) {
    if (bytes > this.#about.max_input) throw new ClassifierError('TOO_LARGE');
    if (bytes <= this.#size && this.#size > 0) return;
    const size = Math.min(this.#about.max_input, Math.max(bytes, 2 * this.#size, 16));
    let at = 0;
    try {
      at = this.#x.pv1_scratch(size) >>> 0;
    } catch {
      // It says that it takes as much.
    }
    if (at === 0) throw this.#lost();
    this.#at = at;
    this.#size = size;
    this.#view();
  }

  /** Writes a text into the input buffer and returns how many bytes it took. */
  #put(offset, text) {
    return encoder.encodeInto(text, this.#u8.subarray(this.#at + offset, this.#at + this.#size)).written;
  }

  /** Short texts of ASCII, written by hand; -1 if there is anything else. */
  #ascii(at, text) {
    const u8 = this.#u8, n = text.length;
    for (let i = 0; i < n; i++) {
      const c = text.charCodeAt(i);
      if (c > 127) return -1;
      u8[at + i] = c;
    }
    return n;
  }

  categories(name, value) {
    const x = this.#x ?? this.#live();
    let n = -1, v = -1, from = this.#at, to = from + this.#head.length;
    if (name.length * 3 <= this.#head.length && value.length * 3 <= this.#tail.length) {
      if (name.length <= SHORT) n = this.#ascii(from, name);
      if (n < 0) n = encoder.encodeInto(name, this.#head).written;
      if (value.length <= SHORT) v = this.#ascii(to, value);
      if (v < 0) v = encoder.encodeInto(value, this.#tail).written;
    } else {
      [n, v] = this.#long([name, value]);
      from = this.#at;
      to = from + n;
    }
    let count;
    try {
      count = x.pv1_classify_field(1, from, n, to, v);
    } catch {
      throw this.#lost();
    }
    if (this.#u8.length === 0) this.#view(); // the memory grew
    if (count <= 0) {
      if (count < 0) throw this.#refused(count);
      return 0;
    }
    const u32 = this.#u32, first = u32[this.#desc] >>> 2, numbers = 4 * count;
    if (first + numbers > u32.length) throw this.#lost();
    if (numbers > this.rows.length) this.rows = new Uint32Array(2 * numbers);
    const rows = this.rows;
    for (let i = 0; i < numbers; i++) rows[i] = u32[first + i];
    return count;
  }

  /** Writes texts one behind the other and returns their lengths in bytes. */
  #long(texts, extra = 0) {
    // A unit of UTF-16 is at most three bytes. Only if there may not be as much room
    // the bytes are counted first.
    let most = extra;
    for (const t of texts) most += 3 * t.length;
    if (most > this.#about.max_input) {
      most = extra;
      for (const t of texts) most += utf8(t);
    }
    this.#room(most);
    let at = 0;
    return extra > 0 ? null : texts.map((t) => {
      const n = this.#put(at, t);
      at += n;
      return n;
    });
  }

  field(field) {
    const x = this.#live();
    for (const key in field) {
      if (!KEYS.includes(key)) throw new ClassifierError('BAD_ARGUMENT');
    }
    const texts = KEYS.slice(0, 6).map((key) => textOf(field[key]));
    const value = texts[5];
    const maps = [entries(field.tags), entries(field.context)];
    for (const m of maps) {
      texts.push(...m);
    }
    this.#long(texts, 4 * texts.length + 8);
    let at = 0, next = 6, length = 0;
    const number = (n) => {
      const u8 = this.#u8, a = this.#at + at;
      u8[a] = n;
      u8[a + 1] = n >>> 8;
      u8[a + 2] = n >>> 16;
      u8[a + 3] = n >>> 24;
      at += 4;
    };
    const text = (t) => {
      const start = at;
      at += 4;
      const n = t.length <= SHORT ? this.#ascii(this.#at + at, t) : -1;
      length = n < 0 ? this.#put(at, t) : n;
      at = start;
      number(length);
      at += length;
    };
    for (let i = 0; i < 6; i++) text(texts[i]);
    const bytes = length; // of the value
    for (const m of maps) {
      number(m.length / 2);
      for (let i = 0; i < m.length; i++) text(texts[next++]);
    }
    let count;
    try {
      count = x.pv1_classify_record(1, this.#at, at);
    } catch {
      throw this.#lost();
    }
    const rows = this.#answer(count, 6);
    const { categories, rules, detectors } = this.#about;
    const places = 6 * count, spans = (rows.length - places) >> 1;
    const labels = [];
    for (let r = 0; r < places; r += 6) {
      const category = categories[rows[r]], first = rows[r + 4], n = rows[r + 5];
      const rule = rows[r + 2] === DECLARED ? { id: 'declared' } : rules[rows[r + 2] - 1];
      const detector = detectors[rows[r + 3] - 1];
      if (!category || (rows[r + 2] > 0 && !rule) || (rows[r + 3] > 0 && !detector) || first + n > spans) throw this.#lost();
      const label = { category: category.key, confidence: rows[r + 1] / 1000 };
      if (detector) label.detector = detector.id;
      if (category.iso19944) label.iso19944 = category.iso19944;
      if (category.qualifier) label.qualifier = category.qualifier;
      if (rule) label.rule = rule.id;
      if (detector) {
        label.spans = [];
        for (let i = places + 2 * first; i < places + 2 * (first + n); i += 2) label.spans.push(this.#span(rows[i], rows[i + 1], bytes));
      }
      labels.push(label);
    }
    if (this.#utf16) units(value, bytes, labels.flatMap((l) => l.spans ?? []));
    return labels;
  }

  scan(text) {
    const x = this.#live();
    text = textOf(text);
    const [bytes] = this.#long([text]);
    let count;
    try {
      count = x.pv1_scan(1, this.#at, bytes);
    } catch {
      throw this.#lost();
    }
    const rows = this.#answer(count, 4), findings = [];
    for (let r = 0; r < 4 * count; r += 4) {
      const detector = this.#about.detectors[rows[r]];
      if (!detector) throw this.#lost();
      findings.push({
        detector: detector.id, category: this.#about.categories[detector.category].key,
        ...this.#span(rows[r + 1], rows[r + 2], bytes), confidence: rows[r + 3] / 1000,
      });
    }
    if (this.#utf16) units(text, bytes, findings);
    return findings;
  }

  /** A copy of the last result, which has at least so many rows. */
  #answer(count, width) {
    if (this.#u8.length === 0) this.#view();
    if (count < 0) throw this.#refused(count);
    const first = this.#u32[this.#desc] >>> 2, length = this.#u32[this.#desc + 1] >>> 2;
    if (length < width * count || first + length > this.#u32.length) throw this.#lost();
    return this.#u32.slice(first, first + length);
  }

  #span(start, end, bytes) {
    if (start > end || end > bytes) throw this.#lost();
    return { start, end };
  }

  describe() {
    return structuredClone(this.#about);
  }

  close() {
    this.#x = null;
    this.#module = null;
  }
}

function textOf(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'undefined':
      return '';
    case 'number':
      if (!Number.isFinite(value)) break;
      return String(value);
    case 'boolean':
    case 'bigint':
      return String(value);
  }
  throw new ClassifierError('BAD_ARGUMENT');
}

/** Keys and values of a map, in turn. */
function entries(map) {
  if (map === undefined) return [];
  if (map === null || typeof map !== 'object') throw new ClassifierError('BAD_ARGUMENT');
  return Object.entries(map).sort(([a], [b]) => order(a, b)).flatMap(([key, value]) => [key, textOf(value)]);
}

/** Compares texts by their bytes in UTF-8. Units of UTF-16 give another order from U+D800 on. */
function order(a, b) {
  if (!/[\ud800-\uffff]/.test(a + b)) return a < b ? -1 : 1;
  const x = encoder.encode(a), y = encoder.encode(b);
  let i = 0;
  while (i < x.length && x[i] === y[i]) i++;
  return (x[i] ?? -1) - (y[i] ?? -1);
}

/** How many bytes a text has in UTF-8. */
function utf8(text) {
  let n = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) continue;
    n += c < 0x800 ? 1 : 2;
    if (c >= 0xd800 && c < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
  }
  return n;
}

/** Turns places that count bytes into places that count units of UTF-16. */
function units(text, bytes, places) {
  if (bytes === text.length || places.length === 0) return;
  const ends = [];
  for (const p of places) {
    ends.push([p.start, p, 'start'], [p.end, p, 'end']);
  }
  ends.sort((a, b) => a[0] - b[0]);
  let i = 0, at = 0;
  for (const [byte, place, key] of ends) {
    while (at < byte) {
      const c = text.codePointAt(i);
      at += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      i += c < 0x10000 ? 1 : 2;
    }
    place[key] = i;
  }
}
