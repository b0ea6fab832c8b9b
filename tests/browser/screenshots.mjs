// screenshots.mjs -- the pictures of docs/images, taken of the real thing: node tests/browser/screenshots.mjs
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, startServer, until } from '../node/server.mjs'
import { launch, person } from './browser.mjs'

const out = join(root, 'docs/images')
const ATOM = '/atom/atom-bo-affordability'
mkdirSync(out, { recursive: true })
const browser = await launch()
const shot = async (page, name) => {
  await page.mouse.move(2, 400)
  await page.evaluate(() => Promise.allSettled([document.fonts.ready,
    ...document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished)]))
  await page.screenshot({ path: join(out, `${name}.png`) })
}
const atom = async (page, server) => {
  await page.goto(server.url + ATOM)
  await page.getByTestId('atom-editor').waitFor()
  await until('text', async () => (await page.getByRole('textbox', { name: 'Summary', exact: true }).innerText()).length > 5)
}
const place = async (page, label, keys = []) => {
  await page.getByRole('textbox', { name: label, exact: true }).click()
  await page.keyboard.press('Control+End')
  for (const k of keys) await page.keyboard.press(k)
}

const server = await startServer({ workspace: join(root, 'examples/lending') })
const anna = await person(browser, server, 'Anna Weiss')
await anna.goto(server.url)
await anna.getByRole('main').getByText('First Meeting with the Customer').first().waitFor()
await shot(anna, 'explorer')
await atom(anna, server)
await shot(anna, 'atom')
const bo = await person(browser, server, 'Bo Lindqvist'), chen = await person(browser, server, 'Chen Li')
await atom(bo, server)
await atom(chen, server)
await place(bo, 'Description', ['ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft'])
await place(chen, 'Summary', ['Control+ArrowLeft'])
await until('both carets', async () => await anna.locator('.remote-caret').count() >= 2)
await shot(anna, 'atom-three-people')
for (const [name, options] of [['dark', { colorScheme: 'dark' }], ['400', { viewport: { width: 400, height: 800 } }]]) {
  const page = await person(browser, server, 'Dewi Putri', options)
  await page.goto(server.url)
  await page.getByRole('main').getByText('First Meeting with the Customer').first().waitFor()
  await shot(page, `explorer-${name}`)
  await atom(page, server)
  await shot(page, `atom-${name}`)
  await page.context().close()
}
await anna.goto(`${server.url}/atom/atom-that-never-was`)
await anna.getByText('There is no atom').waitFor()
await shot(anna, 'not-found')
await atom(anna, server)
await bo.context().close()
await chen.context().close()
await server.kill9()
await place(anna, 'Summary')
await anna.keyboard.type(' Written offline.')
await until('offline', async () => await anna.getByTestId('save-state').getAttribute('data-state') === 'offline')
await until('alone', async () => await anna.locator('.remote-caret').count() === 0 && await anna.getByText('is editing').count() === 0)
await shot(anna, 'atom-offline')
await server.remove()

const empty = await startServer()
const first = await person(browser, empty, 'Anna Weiss')
await first.goto(empty.url)
await first.getByText('This workspace is empty').waitFor()
await shot(first, 'explorer-empty')
await empty.remove()

const WS_SECRET_KEY = 'a-secret-for-pictures-of-32-characters'
const signed = await startServer({ workspace: join(root, 'examples/lending'), env: { WS_SECRET_KEY } })
const token = execFileSync(join(root, 'build/covalent'), ['token', '--user', 'vera', '--name', 'Vera Novak', '--role', 'viewer'],
  { env: { WS_SECRET_KEY }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
const vera = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage()
await vera.goto(`${signed.url}/auth?token=${token}`)
await atom(vera, signed)
await shot(vera, 'atom-read-only')
const stranger = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage()
await stranger.goto(signed.url)
await stranger.getByText('You are not signed in').waitFor()
await shot(stranger, 'signed-out')
await signed.remove()
await browser.close()
