// Opens the page of browser-form in a Chromium, types, and looks at what the page says:
//
//	node examples/browser-form/drive.mjs [FOLDER FOR SCREENSHOTS]
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { find, launch, missing } from '../../wasm/js/fixture/chromium.mjs'

if (find() === null) {
  console.log(`skipped: ${missing}`)
  process.exit(0)
}
const folder = process.argv[2]
if (folder) mkdirSync(folder, { recursive: true })
// In a group of its own: go run starts the server as a child, and both must end.
const server = spawn(process.env.BROWSER_FORM ?? 'go', [...(process.env.BROWSER_FORM ? [] : ['run', './examples/browser-form']), '-listen', '127.0.0.1:0'],
  { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'], detached: true })
const url = await new Promise((resolve, reject) => {
  let said = ''
  server.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
    const found = /http:\/\/\S+/.exec(said)
    if (found) resolve(found[0])
  })
  server.once('exit', () => reject(new Error(`the server ended: ${said}`)))
})
const browser = await launch()
try {
  const page = await browser.open(url, { width: 1180, height: 1340 })
  await page.until('document.documentElement.dataset.ready === "true"')
  const requests = page.requests.length
  const chips = (i) => page.evaluate(`[...document.querySelectorAll('.field')[${i}].querySelectorAll('.chip code')].map((e) => e.textContent)`)
  const marks = (i) => page.evaluate(`[...document.querySelectorAll('.field')[${i}].querySelectorAll('mark')].map((e) => e.textContent)`)

  assert.deepEqual(await chips(1), ['user.contact.email'])
  assert.deepEqual(await marks(1), ['jane@example.com'])
  assert.deepEqual(await marks(2), ['4111 1111 1111 1111'])
  assert.deepEqual(await chips(4), [], 'a colour is not personal')
  assert.deepEqual(await marks(5), ['+1 425 555 0100', 'jane.doe@example.org', '4012 8888 8888 1881'])
  if (folder) await page.screenshot(join(folder, 'light.png'))

  // A value alone, typed key by key.
  await page.evaluate('document.getElementById("f6").focus()')
  await page.type('Zoë 😀 lives at 192.0.2.17, write to zoe@example.net')
  assert.deepEqual(await marks(6), ['192.0.2.17', 'zoe@example.net'], 'places count as JavaScript counts')
  // The name alone says something too, and the policy's own rule holds.
  await page.evaluate(`{ const name = document.querySelectorAll('.field')[4].querySelector('.name'); name.focus(); name.select() }`)
  await page.type('loyaltyCardNo')
  assert.deepEqual(await chips(4), ['user.unique_id'])
  if (folder) await page.screenshot(join(folder, 'typed.png'))

  assert.deepEqual(page.requests.slice(requests), [], 'typing must not send anything')
  assert.equal(await page.evaluate('document.getElementById("requests").textContent'), '0')
  assert.deepEqual(page.errors, [])
  if (folder) {
    for (const [name, options] of [['dark', { width: 1180, height: 1340, dark: true }], ['narrow', { width: 420, height: 1500 }]]) {
      const other = await browser.open(url, options)
      await other.until('document.documentElement.dataset.ready === "true"')
      await other.screenshot(join(folder, `${name}.png`))
      assert.deepEqual(other.errors, [])
    }
  }
  console.log(`${await browser.version()}: labels while typing, and no request`)
} finally {
  await browser.close()
  process.kill(-server.pid)
}
