// Asks a classifier module about a field: node examples/node/classify.mjs policy.wasm NAME VALUE
import { readFile } from 'node:fs/promises'
import { Classifier } from '../../wasm/js/classifier.js'

const [path, name, value] = process.argv.slice(2)
const classifier = await Classifier.load(readFile(path)) // in a browser: fetch('policy.wasm')

for (const { category, confidence, rule, detector, spans } of classifier.field({ name, value })) {
  console.log(category, confidence, rule ?? detector, spans ?? [])
}
