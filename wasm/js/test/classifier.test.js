import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { Classifier, ClassifierError } from '../classifier.js';

// The fake module does what the length of a name, or of a text, tells it; the numbers
// stand in ../../host/classifier_fake_test.go.
const FAKE = { trap: 1, internal: 2, category: 4, place: 5, outside: 6, badRequest: 7, short: 8, unknown: 9, rule: 10, detector: 11, nothing: 12, grow: 13, backwards: 14, spans: 15 };
const fakeBytes = readFileSync(fileURLToPath(new URL('../../host/testdata/fake-classifier.wasm', import.meta.url)));
const fake = await Classifier.load(fakeBytes);
const command = (n) => ({ name: 'n'.repeat(n), value: 'jane sue' });
const canary = 'canary@example.test';
const right = [
  { category: 'b.mail', confidence: 0.93, detector: 'mail', iso19944: '8.2.3', qualifier: 'identified', rule: 'mail-name', spans: [{ start: 0, end: 4 }, { start: 5, end: 6 }] },
  { category: 'a.name', confidence: 0.5, rule: 'declared' },
];

const refused = (code, f) => {
  assert.throws(f, (err) => {
    assert.ok(err instanceof ClassifierError, `${err.stack}`);
    assert.equal(err.code, code);
    assert.ok(err.mend);
    assert.ok(!`${err.message} ${err.stack.split('\n')[0]} ${JSON.stringify(err)}`.includes('canary'));
    return true;
  });
};

test('labels have names', () => {
  assert.deepEqual(fake.field(command(20)), right);
  assert.deepEqual(fake.field(command(FAKE.nothing)), []);
});

test('findings have names', () => {
  assert.deepEqual(fake.scan('jane sue and twenty more'), [
    { detector: 'mail', category: 'b.mail', start: 0, end: 4, confidence: 0.93 },
    { detector: 'mail', category: 'b.mail', start: 5, end: 7, confidence: 1 },
  ]);
  assert.deepEqual(fake.scan('n'.repeat(FAKE.nothing)), []);
});

test('the hot path fills rows', () => {
  assert.equal(fake.categories('n'.repeat(20), 'v'), 2);
  assert.deepEqual([...fake.rows.subarray(0, 8)], [1, 930, 1, 1, 0, 500, 65535, 0]);
  assert.equal(fake.categories('n'.repeat(FAKE.nothing), 'v'), 0);
  assert.equal(fake.categories('é'.repeat(8), 'ü'), 2);
  assert.equal(fake.categories('n'.repeat(20), 'v'.repeat(980)), 2);
});

test('describe', () => {
  const d = fake.describe();
  assert.equal(d.name, 'fake');
  assert.equal(d.categories[1].title, 'Mail');
  d.categories[1].key = 'changed';
  assert.equal(fake.describe().categories[1].key, 'b.mail');
});

test('places count bytes, or units of UTF-16 where that was asked for', async () => {
  const units = await Classifier.load(fakeBytes, { spans: 'utf16' });
  const value = '€é sue'; // 3 + 2 + 4 bytes; the fake's places are 0–4 and 5–6
  assert.deepEqual(fake.field({ name: 'n'.repeat(20), value })[0].spans, [{ start: 0, end: 4 }, { start: 5, end: 6 }]);
  assert.deepEqual(units.field({ name: 'n'.repeat(20), value: '😀é' })[0].spans, [{ start: 0, end: 2 }, { start: 3, end: 3 }]);
  assert.deepEqual(units.field({ name: 'n'.repeat(20), value })[0].spans, [{ start: 0, end: 2 }, { start: 2, end: 3 }]);
  assert.deepEqual(units.scan('€é sue and twenty more').map((f) => [f.start, f.end]), [[0, 2], [2, 4]]);
  assert.deepEqual(units.field(command(20)), right);
  await assert.rejects(Classifier.load(fakeBytes, { spans: 'letters' }), { code: 'BAD_ARGUMENT' });
});

test('whatever the module does, the caller gets an error with a code, and the next call works', () => {
  for (const [what, code, inScan, inFast] of [
    ['trap', 'INSTANCE_LOST', true, true], ['internal', 'INTERNAL', true, true], ['badRequest', 'BAD_REQUEST', true, true],
    ['unknown', 'INSTANCE_LOST', true, true], ['outside', 'INSTANCE_LOST', true, true], ['short', 'INSTANCE_LOST', true],
    ['category', 'INSTANCE_LOST'], ['rule', 'INSTANCE_LOST'], ['detector', 'INSTANCE_LOST', true],
    ['place', 'INSTANCE_LOST', true], ['backwards', 'INSTANCE_LOST', true], ['spans', 'INSTANCE_LOST'],
  ]) {
    refused(code, () => fake.field(command(FAKE[what])));
    assert.deepEqual(fake.field(command(20)), right, what);
    if (inScan) refused(code, () => fake.scan('n'.repeat(FAKE[what])));
    assert.equal(fake.scan('jane sue and twenty more').length, 2, what);
    if (inFast) refused(code, () => fake.categories('n'.repeat(FAKE[what]), 'v'));
    assert.equal(fake.categories('n'.repeat(20), 'v'), 2, what);
  }
});

test('a memory that grew is seen', () => {
  for (let i = 0; i < 3; i++) {
    assert.equal(fake.categories('n'.repeat(FAKE.grow), 'v'), 2);
    assert.equal(fake.categories('n'.repeat(20), 'v'), 2);
    assert.deepEqual(fake.field(command(FAKE.grow)), right);
    assert.equal(fake.scan('n'.repeat(FAKE.grow)).length, 2);
  }
});

test('what is too long is refused, to the byte', () => {
  const name = 'n'.repeat(20);
  assert.equal(fake.scan('v'.repeat(1000)).length, 2);
  refused('TOO_LARGE', () => fake.scan('v'.repeat(1001)));
  assert.equal(fake.scan('é'.repeat(500)).length, 2);
  refused('TOO_LARGE', () => fake.scan('é'.repeat(501)));
  assert.equal(fake.scan('😀'.repeat(250)).length, 2);
  refused('TOO_LARGE', () => fake.scan('😀'.repeat(250) + 'v'));
  assert.equal(fake.scan('\ud800'.repeat(333)).length, 2, 'half a pair is U+FFFD, which has three bytes');
  refused('TOO_LARGE', () => fake.scan('\ud800'.repeat(334)));
  assert.equal(fake.categories(name, 'v'.repeat(980)), 2);
  refused('TOO_LARGE', () => fake.categories(name, 'v'.repeat(981)));
  const rest = 1000 - 32 - 20;
  assert.deepEqual(fake.field({ name, value: 'v'.repeat(rest) }), right);
  refused('TOO_LARGE', () => fake.field({ name, value: 'v'.repeat(rest + 1) }));
  assert.deepEqual(fake.field({ name, value: 'jane sue', tags: { k: 'é'.repeat((rest - 8 - 8 - 2) / 2) } }), right);
  refused('TOO_LARGE', () => fake.field({ name, value: 'jane sue', tags: { k: 'é'.repeat((rest - 8 - 8) / 2) } }));
});

test('a field is what it is documented to be', () => {
  assert.deepEqual(fake.field({ name: 'n'.repeat(20), value: 12345678 }), right);
  assert.deepEqual(fake.field({ name: 'n'.repeat(20), value: 12345678n, path: undefined, tags: undefined }), right);
  for (const bad of [{ [canary]: 1 }, { value: NaN }, { value: {} }, { value: null }, { name: Symbol('canary') }, { tags: canary }, { tags: null }, { context: { [canary]: [] } }]) {
    refused('BAD_ARGUMENT', () => fake.field(bad));
  }
});

test('errors never hold what was asked', () => {
  const all = { path: canary, type: canary, value: canary, source: canary, description: canary, tags: { [canary]: canary }, context: { [canary]: canary } };
  for (const what of ['trap', 'internal', 'outside', 'short', 'unknown', 'badRequest', 'category']) {
    assert.throws(() => fake.field({ name: 'n'.repeat(FAKE[what]), ...all }), (err) => !`${err.message}${err.stack.split('\n')[0]}${JSON.stringify(err)}${err.cause ?? ''}`.includes('canary'));
  }
  refused('TOO_LARGE', () => fake.scan(canary.repeat(100)));
});

test('a module comes as bytes, as a module, as a response', async () => {
  const module = new WebAssembly.Module(fakeBytes);
  const types = ['application/wasm', 'application/octet-stream'];
  const server = createServer((request, response) => {
    const type = types[Number(request.url[1])];
    response.writeHead(type ? 200 : 404, { 'content-type': type ?? 'application/wasm' }).end(fakeBytes);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const at = `http://127.0.0.1:${server.address().port}/`;
  try {
    const exact = fakeBytes.buffer.slice(fakeBytes.byteOffset, fakeBytes.byteOffset + fakeBytes.length);
    for (const source of [fakeBytes, new Uint8Array(fakeBytes), exact, new DataView(exact), module, Promise.resolve(fakeBytes), fetch(`${at}0`), await fetch(`${at}1`)]) {
      const c = await Classifier.load(source);
      assert.deepEqual(c.field(command(20)), right);
      c.close();
    }
    await assert.rejects(Classifier.load(fetch(`${at}2`)), { code: 'NOT_FOUND' });
  } finally {
    server.close();
    server.closeAllConnections?.();
  }
});

test('what is no classifier module is refused', async () => {
  const changed = (from, to) => Buffer.from(fakeBytes.toString('latin1').replace(from, to), 'latin1');
  for (const [code, source] of [
    ['NOT_MODULE', new Uint8Array()], ['NOT_MODULE', Buffer.from(canary)], ['NOT_MODULE', fakeBytes.subarray(0, 100)], ['NOT_MODULE', new Uint8Array(200000)],
    ['NOT_MODULE', canary], ['NOT_MODULE', null], ['NOT_MODULE', undefined], ['NOT_MODULE', {}],
    ['NOT_MODULE', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
    ['NOT_MODULE', changed('"kind":"classifier"', '"kind":"classifies"')],
    ['ABI', changed('{"abi":{"major":1,"minor":0},"fingerprint"', '{"abi":{"major":2,"minor":0},"fingerprint"')],
    ['NOT_MODULE', changed('pv1_scratch', 'pv1_scratcx')],
  ]) {
    await assert.rejects(Classifier.load(source), (err) => err instanceof ClassifierError && err.code === code && !err.message.includes('canary') && !`${err.cause ?? ''}`.includes('canary'), code);
  }
});

test('a closed classifier answers nothing', async () => {
  const c = await Classifier.load(fakeBytes);
  c.close();
  c.close();
  refused('CLOSED', () => c.field({}));
  refused('CLOSED', () => c.scan(''));
  refused('CLOSED', () => c.categories('', ''));
});

test('a compiled module goes to a worker', async () => {
  const worker = new Worker(`
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.url).then(async ({ Classifier }) => parentPort.postMessage((await Classifier.load(workerData.module)).scan('jane sue and twenty more')));
  `, { eval: true, workerData: { url: new URL('../classifier.js', import.meta.url).href, module: new WebAssembly.Module(fakeBytes) } });
  const found = await new Promise((done, fail) => worker.once('message', done).once('error', fail));
  assert.equal(found.length, 2);
  await worker.terminate();
});

test('the hot path makes no garbage', () => {
  const run = (n) => {
    for (let i = 0; i < n; i++) fake.categories('user_email_of_somebody', 'jane@example.com');
  };
  run(20000);
  const before = process.memoryUsage().heapUsed;
  run(100000);
  assert.ok(process.memoryUsage().heapUsed - before < 1 << 20, 'less than ten bytes a call');
});
