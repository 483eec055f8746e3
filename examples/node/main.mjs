// Asks the guest about one event: node examples/node/main.mjs privet.wasm policy.bundle
import { readFile } from 'node:fs/promises'
import { open } from '../../wasm/js/index.js'

const [module, bundle] = await Promise.all(process.argv.slice(2, 4).map((path) => readFile(path)))
const guard = await open(module, bundle)
guard.addSecret('contoso', 1, crypto.getRandomValues(new Uint8Array(32)))

const result = guard.process({
  at: '2026-03-28T10:00:00Z', class: 'service.required', purpose: 'service.deliver.locate', feature: 'find-my-device',
  subject: { tenant: 'contoso' }, anchors: { used_at: '2026-03-28T10:00:00Z' },
  fields: { deviceName: 'JANES-LAPTOP', position: { lat: 47.6401, lon: -122.1295 } },
})
console.log(result.outcome, result.reason, result.fields.position)
console.log('gone by', result.retention.latest)
guard.close()
