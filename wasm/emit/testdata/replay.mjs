// Does to modules what was done to them elsewhere: see hosts_test.go. For Node and
// browsers.

function hash(bytes) {
  let h = 0x811c9dc5;
  for (const b of bytes) h = Math.imul(h ^ b, 0x01000193);
  return h >>> 0;
}

/** Does the steps of a script; throws where something else comes of one. */
export async function replay(wasm, script, Classifier) {
  if (!WebAssembly.validate(wasm)) throw new Error(`${script.name}: it does not validate`);
  const { instance: { exports: x } } = await WebAssembly.instantiate(wasm);
  const place = x.pv1_result();
  script.steps.forEach((s, i) => {
    if (!s.call) {
      const bytes = Uint8Array.from(atob(s.bytes), (c) => c.charCodeAt(0)), memory = new Uint8Array(x.memory.buffer);
      for (let n = 0; n < s.times; n++) memory.set(bytes, s.at + n * bytes.length);
      return;
    }
    let got;
    for (let n = 0; n < Math.max(s.times ?? 1, 1); n++) got = x[s.call](...(s.args ?? []));
    const did = { got, memory: x.memory.buffer.byteLength >>> 16 };
    if (s.result) {
      const view = new DataView(x.memory.buffer), ptr = view.getUint32(place, true), n = view.getUint32(place + 4, true);
      did.result = [ptr, n, view.getInt32(place + 8, true), view.getUint32(place + 12, true), hash(new Uint8Array(x.memory.buffer, ptr, n))];
    }
    for (const key in did) {
      if (JSON.stringify(did[key]) !== JSON.stringify(s[key] ?? 0)) {
        throw new Error(`${script.name}, step ${i}: ${s.call}(${s.args}): ${key} is ${JSON.stringify(did[key])} in place of ${JSON.stringify(s[key])}`);
      }
    }
  });
  if (!script.asked) return script.steps.length;
  const c = await Classifier.load(wasm);
  const sorted = (v) => JSON.stringify(v, (_, o) => (o && typeof o === 'object' && !Array.isArray(o) ? Object.fromEntries(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1))) : o));
  for (const { field, labels } of script.asked) {
    const have = sorted(c.field(field));
    if (have !== sorted(labels)) throw new Error(`${script.name}: the labels of ${sorted(field)} are ${have} in place of ${sorted(labels)}`);
  }
  return script.steps.length;
}
