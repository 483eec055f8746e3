// Privet in JavaScript: the same module, the same bundles and the same answers as
// in Go. See index.d.ts for the documentation of what is exported.
import { wasi } from './wasi.js';

const OP = {
  describe: 1, classify: 2, hash: 4, consent: 5, retention: 6, explain: 7,
  validate: 8, selftest: 9, process: 10, stats: 11, addSecret: 12,
};
const MAJOR = 1;
const SECTION = 'privacy.abi';
const MAX = 16 << 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export class PrivetError extends Error {
  /** @param {{code: string, message: string, mend?: string, offset?: number, part?: string, rule?: string}} e */
  constructor(e) {
    super(`privet: ${e.part ? `${e.part}: ` : ''}${e.message}${e.mend ? `; ${e.mend}` : ''}`);
    this.name = 'PrivetError';
    this.code = e.code;
    for (const key of ['mend', 'offset', 'part', 'rule']) {
      if (e[key] !== undefined) this[key] = e[key];
    }
  }
}

const broken = () => new PrivetError({
  code: 'INSTANCE_LOST',
  message: 'the module gave up while it answered, so its instance was discarded',
  mend: 'open the policy again',
});
const closed = () => new PrivetError({ code: 'CLOSED', message: 'this guard is closed', mend: 'open the policy again' });

async function moduleOf(source) {
  if (source instanceof WebAssembly.Module) return source;
  const bytes = bytesOf(source, 'the module');
  try {
    return await WebAssembly.compile(bytes);
  } catch {
    throw new PrivetError({ code: 'NOT_MODULE', message: 'the bytes are not a WebAssembly module', mend: 'read privet.wasm as it was built' });
  }
}

function bytesOf(data, what) {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new PrivetError({ code: 'BAD_ARGUMENT', message: `${what} must be bytes`, mend: 'give a Uint8Array or an ArrayBuffer' });
}

class Instance {
  #exports;
  #buffer = 0;
  #size = 0;
  lost = false;

  static async start(module) {
    const self = new Instance();
    let exports;
    try {
      const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi(() => exports.memory) });
      exports = instance.exports;
      exports._initialize();
    } catch (err) {
      throw new PrivetError({ code: 'NOT_MODULE', message: 'the module could not be started', mend: 'use privet.wasm of this package\'s version' }, { cause: err });
    }
    if (typeof exports.pv1_abi !== 'function' || exports.pv1_abi() >> 16 !== MAJOR) {
      throw new PrivetError({ code: 'ABI', message: 'the module speaks another version of the interface', mend: 'use privet.wasm of this package\'s version' });
    }
    self.#exports = exports;
    return self;
  }

  /** Runs f and gives the instance up when it traps: its memory may be in any state. */
  #guarded(f) {
    if (this.lost) throw broken();
    try {
      return f(this.#exports);
    } catch (err) {
      if (err instanceof PrivetError) throw err;
      this.lost = true;
      this.#exports = null;
      throw broken();
    }
  }

  #memory() {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  /** A copy of the last result, with its status. */
  #result(x) {
    const at = x.pv1_result() >>> 0;
    const v = new DataView(x.memory.buffer);
    const ptr = v.getUint32(at, true), size = v.getUint32(at + 4, true);
    return this.#memory().slice(ptr, ptr + size);
  }

  /** Makes room for a request; the buffer is used again until it is too small. */
  #room(x, size) {
    if (size <= this.#size && this.#buffer !== 0) return;
    if (this.#buffer !== 0) x.pv1_free(this.#buffer);
    this.#buffer = 0;
    const want = Math.min(MAX, Math.max(4096, 2 ** Math.ceil(Math.log2(Math.max(size, 1)))));
    this.#buffer = x.pv1_alloc(Math.max(size, want)) >>> 0;
    this.#size = Math.max(size, want);
    if (this.#buffer === 0) {
      this.#size = 0;
      throw failure(this.#result(x));
    }
  }

  #send(x, request) {
    if (typeof request === 'string') {
      if (request.isWellFormed?.() === false) {
        throw new PrivetError({ code: 'BAD_ARGUMENT', message: 'the text has half of a surrogate pair', mend: 'send well-formed text' });
      }
      // A character is at most three bytes of UTF-8 for each unit of UTF-16.
      const most = request.length * 3;
      if (most <= 65536) {
        this.#room(x, most);
        return encoder.encodeInto(request, new Uint8Array(x.memory.buffer, this.#buffer, this.#size)).written;
      }
      request = encoder.encode(request);
    }
    this.#room(x, request.length);
    this.#memory().set(request, this.#buffer);
    return request.length;
  }

  call(handle, op, request) {
    return this.#guarded((x) => {
      const size = this.#send(x, request);
      const status = x.pv1_call(handle, op, this.#buffer, size);
      const result = this.#result(x);
      if (status < 0) throw failure(result);
      return result;
    });
  }

  open(bundle) {
    return this.#guarded((x) => {
      const size = this.#send(x, bundle);
      const handle = x.pv1_open(this.#buffer, size);
      if (handle < 0) throw failure(this.#result(x));
      return handle;
    });
  }

  close(handle) {
    if (!this.lost) this.#guarded((x) => x.pv1_close(handle));
  }
}

function failure(result) {
  let parsed;
  try {
    parsed = JSON.parse(decoder.decode(result));
  } catch {
    return broken();
  }
  if (typeof parsed.code !== 'string') { // the answer of a failed self-test
    parsed = { code: 'SELFTEST_FAILED', message: 'the module gives wrong answers on this machine', mend: 'do not use it, and report it' };
  }
  const err = new PrivetError(parsed);
  Object.defineProperty(err, 'raw', { value: result, enumerable: false });
  return err;
}

export class Guard {
  #instance;
  #handle;
  #json;

  constructor(instance, handle) {
    this.#instance = instance;
    this.#handle = handle;
    this.#json = (op, request) => JSON.parse(decoder.decode(this.#call(op, text(request))));
  }

  #call(op, request) {
    if (this.#handle === 0) throw closed();
    return this.#instance.call(this.#handle, op, request);
  }

  process(event) { return this.#json(OP.process, event); }
  explain(event) { return this.#json(OP.explain, event); }
  classify(field) { return this.#json(OP.classify, field).labels; }
  decide(request) { return this.#json(OP.consent, request); }
  plan(input) { return this.#json(OP.retention, input); }
  pseudonymise(request) { return this.#json(OP.hash, request); }
  describe() { return this.#json(OP.describe); }
  validate(bundle) { return JSON.parse(decoder.decode(this.#call(OP.validate, bytesOf(bundle, 'a bundle')))); }
  selftest() { return this.#json(OP.selftest); }
  stats() { return this.#json(OP.stats); }

  processRaw(event) { return this.callRaw('process', event); }

  callRaw(op, request = '') {
    const name = { ...OP, consent_check: OP.consent, add_secret: OP.addSecret }[op];
    if (name === undefined) throw new PrivetError({ code: 'UNKNOWN_OP', message: 'there is no such operation' });
    return this.#call(name, typeof request === 'string' ? request : bytesOf(request, 'a request'));
  }

  addSecret(tenant, version, secret) {
    const key = bytesOf(secret, 'a secret');
    const name = encoder.encode(tenant);
    if (name.length > 65535 || !Number.isInteger(version) || version < 1 || version > 0xffffffff) {
      throw new PrivetError({ code: 'BAD_SECRET', message: 'a secret needs a tenant and a version from 1', mend: 'see the documentation of addSecret' });
    }
    const request = new Uint8Array(6 + name.length + key.length);
    const v = new DataView(request.buffer);
    v.setUint32(0, version, true);
    v.setUint16(4, name.length, true);
    request.set(name, 6);
    request.set(key, 6 + name.length);
    try {
      this.#call(OP.addSecret, request); // the module zeroes its copy
    } finally {
      request.fill(0);
    }
  }

  close() {
    if (this.#handle === 0) return;
    this.#instance.close(this.#handle);
    this.#handle = 0;
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() { this.close(); }
}

// text is the JSON of a value, or '' for no request. What JSON cannot hold is an
// error here and not something else in the module.
function text(value) {
  if (value === undefined) return '';
  const json = JSON.stringify(value, (_, v) => {
    if (typeof v === 'number' && !Number.isFinite(v)) {
      throw new PrivetError({ code: 'BAD_ARGUMENT', message: 'a number is not finite', mend: 'leave it out, or send a text' });
    }
    return typeof v === 'bigint' ? JSON.rawJSON?.(v.toString()) ?? bigint() : v;
  });
  if (json === undefined) throw new PrivetError({ code: 'BAD_ARGUMENT', message: 'the request is nothing that JSON can hold', mend: 'give an object' });
  return json;
}

function bigint() {
  throw new PrivetError({ code: 'BAD_ARGUMENT', message: 'this engine cannot write a bigint as JSON', mend: 'send exact numbers as JSON text with processRaw' });
}

export async function open(module, bundle) {
  const data = bytesOf(bundle, 'a bundle');
  const instance = await Instance.start(await moduleOf(module));
  return new Guard(instance, instance.open(data));
}

export async function info(module) {
  const sections = WebAssembly.Module.customSections(await moduleOf(module), SECTION);
  return sections.length === 0 ? null : JSON.parse(decoder.decode(sections[0]));
}
