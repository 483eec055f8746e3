// What is measured. An engine loads its rules and says how long that took, decides about
// one field, and tells the names of the categories in a decision.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const testdata = new URL('../peers/testdata/', import.meta.url)
const now = () => performance.now()

export const vectors = JSON.parse(readFileSync(new URL('vectors.json', testdata)))

/** The rules, as the tests of package peers read them. */
export function rules() {
  const text = readFileSync(new URL('rules20.yaml', testdata), 'utf8')
  const found = [...text.matchAll(/^ {2}- id: (.+)\n {4}category: (.+)\n {4}confidence: .+\n {4}when: '(.+)'$/gm)].map(([, id, category, when]) => ({
    id, category, name: /field\.name\.matches\(r"([^"]*)"\)/.exec(when)[1], value: / value\.matches\(r"([^"]*)"\)/.exec(when)?.[1],
  }))
  if (found.length !== text.split('\n  - id: ').length - 1) throw new Error('a rule was not read')
  return found
}

/** The rules in Rego. */
export function rego() {
  const lines = rules().flatMap((r) => [['name', r.name], ['value', r.value]].filter(([, re]) => re).map(([key, re]) => `categories contains "${r.category}" if regex.match(\`${re}\`, input.${key})`))
  return `package classify\n\n${lines.join('\n')}\n`
}

// Packages are looked for from the folder that was named.
function load(folder, name) {
  return import(pathToFileURL(createRequire(join(folder, 'x.js')).resolve(name)))
}

async function privet(file) {
  const t0 = now()
  const { Classifier } = await import('../../wasm/js/classifier.js')
  const t1 = now()
  const c = await Classifier.load(readFileSync(file))
  return { c, importing: t1 - t0, loading: now() - t1 }
}

export const engines = {
  'privet, rows': {
    needs: ['module'],
    async load({ module }) {
      const { c, ...times } = await privet(module)
      return { ...times, decide: (f) => c.categories(f.name, f.value), names: (n) => Array.from({ length: n }, (_, i) => c.describe().categories[c.rows[4 * i]].key) }
    },
  },
  'privet, labels': {
    needs: ['module'],
    async load({ module }) {
      const { c, ...times } = await privet(module)
      return { ...times, decide: (f) => c.field({ name: f.name, value: f.value }), names: (labels) => labels.map((l) => l.category) }
    },
  },
  RegExp: {
    needs: [],
    async load() {
      const t0 = now()
      const compiled = (s) => s && new RegExp(s.replace('(?i)', ''), s.startsWith('(?i)') ? 'i' : '')
      const list = rules().map((r) => ({ category: r.category, name: compiled(r.name), value: compiled(r.value) }))
      return {
        importing: 0, loading: now() - t0, names: (found) => found,
        decide(f) {
          const found = []
          for (const r of list) {
            if (r.name.test(f.name) || (r.value !== undefined && r.value.test(f.value))) found.push(r.category)
          }
          return found
        },
      }
    },
  },
  'OPA wasm': {
    needs: ['opa', 'packages'],
    async load({ opa, packages }) {
      const t0 = now()
      const sdk = (await load(packages, '@open-policy-agent/opa-wasm')).default
      const t1 = now()
      const policy = await sdk.loadPolicy(readFileSync(opa))
      return { importing: t1 - t0, loading: now() - t1, decide: (f) => policy.evaluate(f), names: (out) => out[0].result }
    },
  },
  'cedar-wasm': {
    needs: ['packages'],
    async load({ packages }) {
      const t0 = now()
      const cedar = await load(packages, '@cedar-policy/cedar-wasm/nodejs')
      const t1 = now()
      const parts = cedar.policySetTextToParts(readFileSync(new URL('rules20.cedar', testdata), 'utf8'))
      if (parts.type !== 'success') throw new Error('Cedar does not read its rules')
      const categories = {}, staticPolicies = {}
      for (const text of parts.policies) {
        const id = /@id\("(.*?)"\)/.exec(text)[1]
        categories[id] = /@category\("(.*?)"\)/.exec(text)[1]
        staticPolicies[id] = text
      }
      if (cedar.preparsePolicySet('rules', { staticPolicies }).type !== 'success') throw new Error('Cedar does not keep its rules')
      const request = { principal: { type: 'App', id: 'a' }, action: { type: 'Action', id: 'classify' }, resource: { type: 'Field', id: 'f' }, entities: [], preparsedPolicySetId: 'rules' }
      return {
        importing: t1 - t0, loading: now() - t1,
        decide: (context) => cedar.statefulIsAuthorized({ ...request, context }),
        names: (out) => out.response.diagnostics.reason.map((id) => categories[id]),
      }
    },
  },
}
