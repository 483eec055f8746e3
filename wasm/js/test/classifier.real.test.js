import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Classifier } from '../classifier.js';
import { find, launch, missing } from '../fixture/chromium.mjs';
import { compile, root } from '../fixture/classifiers.js';
import { bundle, module } from '../fixture/fixture.js';
import { open } from '../index.js';

const twentyPath = compile('internal/peers/testdata/rules20.yaml');
const twenty = await Classifier.load(readFileSync(twentyPath));
const parityBytes = readFileSync(compile('internal/conform/testdata/parity.yaml'));
const parity = await Classifier.load(parityBytes);
const guard = await open(module, bundle('parity'));
after(() => guard.close());
const vectors = JSON.parse(readFileSync(join(root, 'internal/peers/testdata/vectors.json'), 'utf8'));
const { categories } = twenty.describe();

test('the vectors, by every call', () => {
  assert.ok(vectors.length > 0);
  for (const { input, expect } of vectors) {
    const n = twenty.categories(input.name, input.value);
    assert.deepEqual(Array.from({ length: n }, (_, i) => categories[twenty.rows[4 * i]].key).sort(), expect);
    assert.deepEqual(twenty.field({ name: input.name, value: input.value, type: input.type }).map((l) => l.category).sort(), expect);
  }
});

const values = [
  '', 'jane@example.com', 'Call +1 425 555 0100 or write to jane@example.com, card 4111 1111 1111 1111.', 'DE89 3704 0044 0532 0130 00', '192.0.2.17', '1984-02-29',
  '47.6401, -122.1295', 'Zoë 😀 zoe@example.net', 'ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ', `${'nothing here '.repeat(400)}mail jane@example.com`, 12.5, true,
];
const names = ['', 'user_email', 'fullName', 'cardNo', 'note', 'größe', 'имя', 'x', 'date_of_birth', 'ip_addr'];
const fields = names.flatMap((name) => [
  ...values.map((value) => ({ name, value })),
  { name, path: `customer.${name}`, type: 'string', source: 'orders', description: 'address of the person', value: values[1] },
  { name, tags: { category: 'user.contact.email', pii: 'true', a: '' }, context: { country: 'de', table: 'people' } },
]);

test('a module answers as the guest does with the bundle of the same policy', () => {
  let labels = 0;
  for (const f of fields) {
    const want = guard.classify(f);
    assert.deepEqual(parity.field(f), want, JSON.stringify(f));
    labels += want.length;
  }
  assert.ok(labels > 100, 'the comparison must have something to compare');
});

test('the hot path gives the labels of field', () => {
  const about = parity.describe();
  for (const { name, value, path, tags } of fields) {
    if (path || tags) continue;
    const n = parity.categories(name, String(value)), rows = [...parity.rows];
    assert.deepEqual(Array.from({ length: n }, (_, i) => [
      about.categories[rows[4 * i]].key, rows[4 * i + 1] / 1000, about.rules[rows[4 * i + 2] - 1]?.id, about.detectors[rows[4 * i + 3] - 1]?.id,
    ]), parity.field({ name, value }).map((l) => [l.category, l.confidence, l.rule, l.detector]), JSON.stringify({ name, value }));
  }
});

test('places cut the text where the finding is', async () => {
  const units = await Classifier.load(parityBytes, { spans: 'utf16' });
  const text = 'Zoë 😀 writes: zoe@example.net, und ＠ jane@example.com';
  assert.deepEqual(units.scan(text).filter((f) => f.detector === 'email-address').map((f) => text.slice(f.start, f.end)), ['zoe@example.net', 'jane@example.com']);
  const bytes = Buffer.from(text);
  assert.deepEqual(parity.scan(text).filter((f) => f.detector === 'email-address').map((f) => bytes.subarray(f.start, f.end).toString()), ['zoe@example.net', 'jane@example.com']);
  assert.deepEqual(units.field({ name: 'note', value: text }).find((l) => l.detector === 'email-address').spans.map((s) => text.slice(s.start, s.end)), ['zoe@example.net', 'jane@example.com']);
});

test('memory stays flat', async () => {
  const c = await Classifier.load(parityBytes);
  const size = () => process.memoryUsage().arrayBuffers;
  const run = (n) => {
    for (let i = 0; i < n; i++) {
      c.categories('user_email', 'jane@example.com');
      c.field({ name: 'note', value: 'write to jane@example.com' });
    }
  };
  run(5000);
  const before = size();
  run(20000);
  assert.ok(size() - before < 8 << 20);
});

test('the host in ABI.md is whole', () => {
  const file = fileURLToPath(new URL('../fixture/minimal-host.mjs', import.meta.url));
  assert.ok(readFileSync(join(root, 'wasm/ABI.md'), 'utf8').includes(`\`\`\`js\n${readFileSync(file, 'utf8')}\`\`\``), 'ABI.md shows another text than the file');
  const said = execFileSync(process.execPath, [file, twentyPath, 'user_email', 'jane@example.com'], { encoding: 'utf8' });
  assert.equal(said, 'contact.email 0.9 peers/r01 -\nidentity.username 0.9 peers/r03 -\n');
});

test('the same in a browser, streaming and from bytes, on the page and in a worker', { skip: find() === null && missing }, async () => {
  const server = createServer((request, response) => {
    const [type, body] = {
      '/classifier.js': ['text/javascript', readFileSync(new URL('../classifier.js', import.meta.url))],
      '/worker.js': ['text/javascript', 'import { Classifier } from "/classifier.js"; onmessage = async ({ data }) => postMessage((await Classifier.load(data.module)).field(data.field));'],
      '/policy.wasm': ['application/wasm', parityBytes], '/policy.bin': ['application/octet-stream', parityBytes], '/': ['text/html', '<!doctype html><title>test</title><link rel=icon href="data:,">'],
    }[request.url] ?? ['text/plain', ''];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const browser = await launch();
  try {
    const page = await browser.open(`http://127.0.0.1:${server.address().port}/`);
    const asked = fields.filter((_, i) => i % 3 === 0);
    const answers = await page.evaluate(`(async () => {
      const { Classifier } = await import('/classifier.js');
      const asked = ${JSON.stringify(asked)};
      const answers = [];
      for (const source of [fetch('/policy.wasm'), fetch('/policy.bin'), (await fetch('/policy.bin')).arrayBuffer()]) {
        const c = await Classifier.load(source);
        answers.push(asked.map((f) => c.field(f)));
      }
      const worker = new Worker('/worker.js', { type: 'module' });
      const module = await WebAssembly.compileStreaming(fetch('/policy.wasm'));
      answers.push(await new Promise((done) => { worker.onmessage = ({ data }) => done(data); worker.postMessage({ module, field: asked[1] }); }));
      return answers;
    })()`);
    const want = asked.map((f) => guard.classify(f));
    assert.deepEqual(answers, [want, want, want, want[1]]);
    assert.deepEqual(page.errors, []);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections?.();
  }
});
