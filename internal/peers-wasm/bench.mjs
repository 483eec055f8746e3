// Measures classifier modules beside their peers; see README.md.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { find, launch, missing } from '../../wasm/js/fixture/chromium.mjs'
import { engines, rego, vectors } from './engines.mjs'
import { warm } from './warm.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    module: { type: 'string' }, opa: { type: 'string' }, packages: { type: 'string' }, text: { type: 'string' }, 'text-module': { type: 'string' },
    short: { type: 'boolean', default: false }, child: { type: 'string' }, cold: { type: 'boolean', default: false },
  },
})
const inputs = vectors.map((v) => v.input)
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]
const pad = (...columns) => console.log(columns.map((c, i) => (i === 0 ? String(c).padEnd(24) : String(c).padStart(13))).join(''))

async function child(name) {
  const engine = await engines[name].load(given)
  const from = performance.now()
  let out = engine.decide(inputs[0])
  const first = performance.now() - from
  for (const v of vectors) {
    out = engine.names(engine.decide(v.input))
    if (JSON.stringify([...new Set(out)].sort()) !== JSON.stringify([...v.expect].sort())) throw new Error(`${name} decides otherwise than the vectors`)
  }
  const times = { importing: engine.importing, loading: engine.loading, first }
  return given.cold ? times : { ...times, ...warm(engine.decide, inputs, given.short) }
}

function compile(policy, folder, name) {
  const out = join(folder, name)
  execFileSync('go', ['run', './cmd/privet', 'compile', '--target', 'wasm', policy, '-o', out], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  return out
}

function node() {
  console.log(`\nNode ${process.version}, ${given.short ? 1 : 5} fresh processes for the cold figures`)
  pad('engine', 'import ms', 'load ms', 'first ms', 'cold ms', 'ns/decision', 'p99 ns')
  for (const [name, { needs }] of Object.entries(engines)) {
    const lacks = needs.filter((n) => !given[n] || !existsSync(given[n]))
    if (lacks.length > 0) {
      console.log(`${name.padEnd(24)}skipped: give ${lacks.map((n) => `--${n}`).join(' and ')} (README.md says how to get it)`)
      continue
    }
    const paths = ['module', 'opa', 'packages'].filter((n) => given[n]).map((n) => `--${n}=${given[n]}`)
    const run = (...more) => JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), `--child=${name}`, ...paths, ...more, ...(given.short ? ['--short'] : [])], { encoding: 'utf8' }))
    const cold = Array.from({ length: given.short ? 1 : 5 }, () => run('--cold'))
    const of = (f) => median(cold.map(f)).toFixed(2)
    const { ns, p99 } = run()
    pad(name, of((c) => c.importing), of((c) => c.loading), of((c) => c.first), of((c) => c.importing + c.loading + c.first), ns.toFixed(0), p99.toFixed(0))
  }
}

/** The same loop in a page. */
async function chromium() {
  if (find() === null) {
    console.log(`\nChromium skipped: ${missing}`)
    return
  }
  const files = {
    '/classifier.js': [new URL('../../wasm/js/classifier.js', import.meta.url), 'text/javascript'], '/warm.mjs': [new URL('warm.mjs', import.meta.url), 'text/javascript'], '/policy.wasm': [given.module, 'application/wasm'],
  }
  const server = createServer((request, response) => {
    const [file, type] = files[request.url] ?? []
    response.writeHead(200, { 'content-type': type ?? 'text/html', 'cache-control': 'no-store' }).end(file ? readFileSync(file) : '<!doctype html><title>bench</title>')
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const browser = await launch()
  try {
    console.log(`\n${await browser.version()}`)
    pad('engine', 'load ms', 'first ms', 'cold ms', 'ns/decision', 'p99 ns')
    const page = () => browser.open(`http://127.0.0.1:${server.address().port}/`)
    const cold = []
    let last
    for (let i = 0; i < (given.short ? 1 : 5); i++) {
      const p = await page() // a new process for each
      last = await p.evaluate(`(async () => {
        const { Classifier } = await import('/classifier.js'), { warm } = await import('/warm.mjs')
        const bytes = await (await fetch('/policy.wasm')).arrayBuffer()
        const from = performance.now()
        const c = await Classifier.load(bytes)
        const loaded = performance.now()
        c.categories('user_email', 'jane@example.com')
        const first = performance.now() - loaded
        const inputs = ${JSON.stringify(inputs)}
        const counts = inputs.map((f) => c.categories(f.name, f.value))
        return { loading: loaded - from, first, counts, ...(${i} === 0 ? warm((f) => c.categories(f.name, f.value), inputs, ${given.short}) : {}) }
      })()`)
      cold.push(last)
      if (JSON.stringify(last.counts) !== JSON.stringify(vectors.map((v) => v.expect.length))) throw new Error('Chromium decides otherwise than the vectors')
      await p.close()
    }
    const of = (f) => median(cold.map(f)).toFixed(2)
    const { ns, p99 } = cold.find((c) => c.ns !== undefined)
    pad('privet, rows', of((c) => c.loading), of((c) => c.first), of((c) => c.loading + c.first), ns.toFixed(0), p99.toFixed(0))
  } finally {
    await browser.close()
    server.close()
  }
}

/** How fast the detectors of a module go through a text, in pieces of 1 MiB. */
async function text() {
  const { Classifier } = await import('../../wasm/js/classifier.js')
  const from = performance.now()
  const c = await Classifier.load(readFileSync(given['text-module']))
  c.scan('jane@example.com')
  console.log(`\ntext, ${c.describe().detectors.length} detectors, module ${(readFileSync(given['text-module']).length / 1000).toFixed(0)} kB: load and first text ${(performance.now() - from).toFixed(1)} ms`)
  const all = readFileSync(given.text, 'utf8'), pieces = []
  for (let at = 0; at < all.length;) {
    const end = at + (1 << 20) < all.length ? all.lastIndexOf('\n', at + (1 << 20)) + 1 || at + (1 << 20) : all.length
    pieces.push(all.slice(at, end > at ? end : at + (1 << 20)))
    at += pieces.at(-1).length
  }
  const bytes = Buffer.byteLength(all), times = []
  let found = 0
  for (let i = 0; i < (given.short ? 1 : 5); i++) {
    const t = performance.now()
    found = 0
    for (const p of pieces) found += c.scan(p).length
    times.push(performance.now() - t)
  }
  console.log(`${(bytes / 1e6).toFixed(1)} MB: ${(bytes / 1e3 / median(times)).toFixed(1)} MB/s, ${found} findings`)
}

if (positionals[0] === 'rego') {
  process.stdout.write(rego())
} else if (given.child !== undefined) {
  console.log(JSON.stringify(await child(given.child)))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'privet-bench-'))
  try {
    given.module ??= compile('internal/peers/testdata/rules20.yaml', folder, 'twenty.wasm')
    node()
    await chromium()
    if (given.text === undefined) {
      console.log('\ntext skipped: give --text FILE')
    } else {
      given['text-module'] ??= compile('examples/browser-form/policy.yaml', folder, 'all.wasm')
      await text()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
