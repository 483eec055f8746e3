import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Guard, info, open, PrivetError } from '../index.js';
import { importNames } from '../wasi.js';
import { answers } from '../fixture/answers.js';
import { bundle, folder, module, moduleBytes, root } from '../fixture/fixture.js';
import { addSecrets } from '../fixture/secrets.js';

const parity = bundle('parity');
const at = '2026-03-28T10:00:00Z';
const guard = await open(module, parity);
addSecrets(guard);
after(() => guard.close());

const canary = 'canary@example.test';
const thrown = (f) => {
  try {
    f();
  } catch (err) {
    return err;
  }
  return assert.fail('nothing was thrown');
};
const refused = (code, f) => {
  const err = thrown(f);
  assert.ok(err instanceof PrivetError, `${err}`);
  assert.equal(err.code, code);
  return err;
};

test('an event goes in, and what is permitted comes out', () => {
  const result = guard.process({
    id: 'e1', at, class: 'service.required', purpose: 'service.provide', subject: { tenant: 'contoso', attr: { region: 'EU' } },
    anchors: { used_at: at },
    declared: { deviceName: { category: 'user.device.device_id' } },
    fields: { deviceName: 'JANES-LAPTOP', build: 26100 },
  });
  assert.equal(result.outcome, 'allow');
  assert.equal(result.fields.build, 26100);
  assert.match(result.fields.deviceName, /^p1_2_[a-z2-7]{26}$/);
  assert.equal(result.retention.latest, '2026-03-30T10:00:00Z');
  assert.equal(result.trail, undefined);
  assert.equal(result.policy.name, 'parity');
});

test('a denial is a result', () => {
  const result = guard.process({ at, purpose: 'service.provide', feature: 'find-my-device', switches: { 'find-my-device': 'off' }, fields: { lat: 47.64 } });
  assert.equal(result.outcome, 'deny');
  assert.equal(result.reason, 'FEATURE_OFF');
  assert.deepEqual(result.fields, {});
});

test('explain has a trail', () => {
  assert.notEqual(guard.explain({ at, purpose: 'service.provide', fields: { build: 1 } }).trail.length, 0);
});

test('the single questions', () => {
  assert.equal(guard.classify({ name: 'user_email', value: 'jane@example.com' })[0].category, 'user.contact.email');
  assert.deepEqual(guard.classify({ name: 'zzz', value: true }), []);
  assert.equal(guard.decide({ at, purpose: 'service.provide' }).outcome, 'allow');
  assert.equal(guard.plan({ now: at, class: 'service.required', anchors: { used_at: at } }).status, 'deletable');
  const p = guard.pseudonymise({ tenant: 'contoso', purpose: 'x', category: 'user.contact.email', value: 'Jane@Example.com' });
  assert.equal(p.token, guard.pseudonymise({ tenant: 'contoso', purpose: 'x', category: 'user.contact.email', type: 'email', value: 'jane@example.com' }).token);
  assert.equal(p.linkability, 'linkable');
  assert.ok(guard.describe().detectors.includes('employee-badge'));
  assert.equal(guard.validate(bundle('windows-service-data')).name, 'windows-service-data');
  assert.equal(guard.selftest().ok, true);
  assert.ok(guard.stats().calls > 0);
});

test('numbers keep their text in bytes', () => {
  const out = new TextDecoder().decode(guard.processRaw(`{"at":"${at}","purpose":"service.provide","fields":{"n":123456789012345678901234567890.10}}`));
  assert.ok(out.includes('"n":123456789012345678901234567890.10'));
});

test('the conformance cases give the golden bytes', async () => {
  const golden = readFileSync(join(root, 'internal/conform/testdata/golden.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
  const prints = ['assent', 'parity', 'terms', 'windows-service-data'].map((name) => [bundle(name).subarray(-32).toString('hex'), `<${name}>`]);
  const got = await answers(folder);
  assert.ok(got.length >= 100);
  assert.equal(got.length, golden.length);
  got.forEach((a, i) => {
    for (const [print, name] of prints) a.text = a.text.replaceAll(print, name);
    assert.deepEqual(a, golden[i], golden[i].name);
  });
});

test('bytes come in every form that JavaScript has', async () => {
  const buffer = parity.buffer.slice(parity.byteOffset, parity.byteOffset + parity.byteLength);
  for (const form of [parity, buffer, new DataView(buffer), new Uint8Array(buffer)]) {
    const g = await open(module, form);
    assert.equal(g.describe().policy.name, 'parity');
    g.close();
  }
  const fromBytes = await open(moduleBytes, parity);
  assert.ok(fromBytes instanceof Guard);
  fromBytes.close();
});

test('the module says what it is before it is started', async () => {
  const about = await info(module);
  assert.equal(about.abi.major, 1);
  assert.equal(about.ops.process, 10);
  assert.equal(await info(new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))), null);
});

test('the module asks for nothing but what wasi.js gives', () => {
  const asked = WebAssembly.Module.imports(module);
  assert.deepEqual([...new Set(asked.map((i) => i.module))], ['wasi_snapshot_preview1']);
  assert.deepEqual([...new Set(asked.map((i) => i.name))].sort(), importNames);
});

test('what is no module and no bundle is refused with its own error', async () => {
  await assert.rejects(open(new Uint8Array([1, 2, 3]), parity), { code: 'NOT_MODULE' });
  await assert.rejects(open('privet.wasm', parity), { code: 'BAD_ARGUMENT' });
  await assert.rejects(open(module, 'policy.bundle'), { code: 'BAD_ARGUMENT' });
  await assert.rejects(open(new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])), parity), { code: 'NOT_MODULE' });
  await assert.rejects(open(module, new Uint8Array(0)), { code: 'NOT_BUNDLE' });
  await assert.rejects(open(module, parity.subarray(0, 100)), { code: 'BUNDLE_TRUNCATED' });
  const changed = Uint8Array.from(parity);
  changed[200] ^= 1;
  await assert.rejects(open(module, changed), { code: 'BUNDLE_CORRUPT' });
  const newer = Uint8Array.from(parity);
  newer[8]++;
  await assert.rejects(open(module, newer), { code: 'BUNDLE_NEWER' });
});

test('errors have a code, a place and a mend, and never content', () => {
  const err = refused('BAD_REQUEST', () => guard.process({ at, purpose: 'service.provide', [canary]: 1, fields: {} }));
  assert.ok(err.offset > 0);
  assert.ok(err.mend.includes('fields'));
  const errors = [
    err,
    refused('BAD_REQUEST', () => guard.decide({ at: canary })),
    refused('BAD_REQUEST', () => guard.classify({ name: [canary] })),
    refused('BAD_REQUEST', () => guard.processRaw(canary)),
    refused('BAD_REQUEST', () => guard.plan({ now: at, anchors: canary })),
    refused('NO_SECRET', () => guard.pseudonymise({ tenant: canary, purpose: 'x', category: 'y', value: canary })),
    refused('BAD_VALUE', () => guard.pseudonymise({ tenant: 'contoso', purpose: 'x', category: 'y', type: 'date', value: canary })),
    refused('BAD_SECRET', () => guard.addSecret('contoso', 1, new TextEncoder().encode(canary.padEnd(32)))),
    refused('BAD_SECRET', () => guard.addSecret(canary, 0, new Uint8Array(32))),
    refused('TOO_LARGE', () => guard.processRaw(canary.repeat(1 << 20))),
    refused('UNKNOWN_OP', () => guard.callRaw(canary)),
    refused('BAD_ARGUMENT', () => guard.process({ n: NaN, [canary]: 1 })),
    refused('BAD_ARGUMENT', () => guard.processRaw(`${canary}\ud800`)),
  ];
  for (const e of errors) {
    assert.ok(!`${e.message} ${e.stack.split('\n')[0]} ${JSON.stringify(e)} ${e.raw ? Buffer.from(e.raw) : ''}`.includes('canary'), e.message);
  }
});

test('a guard goes on after an error', () => {
  refused('TOO_LARGE', () => guard.processRaw('x'.repeat((16 << 20) + 1)));
  assert.equal(guard.process({ at, purpose: 'service.provide', fields: { a: 1 } }).outcome, 'allow');
});

test('a large event passes', () => {
  const text = 'ß'.repeat(4 << 20); // 8 MiB of UTF-8
  const result = guard.process({ at, purpose: 'service.provide', fields: { text, a: 1 } });
  assert.equal(result.fields.a, 1);
  assert.equal(result.decisions[1].note, 'TOO_LONG');
});

test('a closed guard answers nothing', async () => {
  const g = await open(module, parity);
  g.close();
  g.close();
  refused('CLOSED', () => g.describe());
});

test('guards know nothing of each other', async () => {
  const other = await open(module, bundle('windows-service-data'));
  refused('NO_SECRET', () => other.pseudonymise({ tenant: 'contoso', purpose: 'x', category: 'y', value: 'v' }));
  other.close();
});

test('a secret is wiped on its way', async () => {
  const g = await open(module, parity);
  const key = Uint8Array.from({ length: 32 }, (_, i) => 200 - i);
  g.addSecret('contoso', 1, key);
  assert.equal(key[0], 200, 'the caller\'s copy is the caller\'s');
  g.close();
});

test('memory stays flat', async () => {
  const g = await open(module, parity);
  addSecrets(g);
  const event = JSON.stringify({ at, purpose: 'service.provide', subject: { tenant: 'contoso' }, fields: { a: 1, note: 'hello', user_email: 'jane@example.com' } });
  const run = (n) => {
    for (let i = 0; i < n; i++) g.processRaw(event);
    return g.stats().system_bytes;
  };
  // The collector looks for its size in steps of a MiB for a while.
  const before = run(50000);
  const grown = run(20000) - before;
  assert.ok(grown <= 4 << 20, `memory grew by ${grown} bytes`);
  g.close();
});
