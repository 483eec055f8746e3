// Does the scripts of a folder in Node or in a Chromium: hosts.mjs node|chromium folder count.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Classifier } from '../../js/classifier.js';
import { find, launch, missing } from '../../js/fixture/chromium.mjs';
import { replay } from './replay.mjs';

const [engine, folder, count] = process.argv.slice(2);

async function inNode() {
  let steps = 0;
  for (let i = 0; i < count; i++) {
    steps += await replay(readFileSync(join(folder, `${i}.wasm`)), JSON.parse(readFileSync(join(folder, `${i}.json`), 'utf8')), Classifier);
  }
  return `node ${process.version}: ${count} modules, ${steps} steps`;
}

async function inChromium() {
  const own = new Map([['/classifier.js', '../../js/classifier.js'], ['/replay.mjs', './replay.mjs']]);
  const server = createServer(({ url }, response) => {
    if (url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>modules</title><link rel=icon href="data:,">');
    const path = own.has(url) ? new URL(own.get(url), import.meta.url) : join(folder, url);
    const type = /js$/.test(url) ? 'text/javascript' : /wasm$/.test(url) ? 'application/wasm' : 'application/json';
    return response.writeHead(200, { 'content-type': type }).end(readFileSync(path));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const browser = await launch();
  try {
    const page = await browser.open(`http://127.0.0.1:${server.address().port}/`);
    const steps = await page.evaluate(`(async () => {
      const [{ replay }, { Classifier }] = await Promise.all([import('/replay.mjs'), import('/classifier.js')]);
      let steps = 0;
      for (let i = 0; i < ${Number(count)}; i++) {
        const [wasm, script] = await Promise.all([fetch('/' + i + '.wasm').then((r) => r.arrayBuffer()), fetch('/' + i + '.json').then((r) => r.json())]);
        steps += await replay(wasm, script, Classifier);
      }
      return steps;
    })()`);
    return `${await browser.version()}: ${count} modules, ${steps} steps`;
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections?.();
  }
}

if (engine === 'chromium' && !find()) {
  console.log(missing);
} else {
  console.log(await (engine === 'chromium' ? inChromium() : inNode()));
}
