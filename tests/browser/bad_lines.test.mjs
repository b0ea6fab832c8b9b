// bad_lines.test.mjs -- what people see while lines drop, stall and half-open, the server is killed and browsers are
// closed: nobody haunts the page, nobody's words are lost or doubled, and the footer is true at each step.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root, startServer, until } from '../node/server.mjs'
import { chaosProxy } from '../tools/chaos_proxy.mjs'
import {
  ATOM, OFFLINE, avatars, carets, close, field, footerLog, gone, here, offline, openAtom, opened, placeCaret, same,
  saved, state, textOf, times, typeAtEnd, yaml,
} from './atom.mjs'
import { clean, launch, launchWithProfile, missing, newPage, signIn } from './browser.mjs'

const skip = missing('chromium')

let browser, server
before(async () => {
  if (skip) return
  server = await startServer({ workspace: join(root, 'examples/lending') })
  browser = await launch()
})
after(async () => { await browser?.close(); await server?.remove() })

const open = (name, options) => openAtom(browser, server, name, options)
const inYaml = (part) => until(`"${part}" in the YAML, once`, () => times(yaml(server), part) === 1)

/** Somebody whose line can be cut: [page, proxy]. */
async function openThroughProxy(t, name, options) {
  const proxy = await chaosProxy(server.port)
  t.after(() => proxy.close())
  return [await openAtom(browser, { url: proxy.url.replace('ws:', 'http:') }, name, { ignore: OFFLINE, ...options }), proxy]
}
const cut = (proxy) => { proxy.refuse(true); proxy.drop() }
const mend = (proxy) => proxy.refuse(false)

test('7: who comes and goes is seen: a closed tab, a pulled cable', { skip }, async (t) => {
  const anna = await open('Anna')
  const [bo, cable] = await openThroughProxy(t, 'Bo')
  await here(anna, 'B')
  await here(bo, 'A')
  cable.stall(true)                                       // no packet, no goodbye
  await gone(anna, 'B', 15000)
  cable.stall(false)
  await here(anna, 'B')
  await until('nobody twice', async () => await avatars(anna, 'B').count() === 1 && await anna.getByText('2 people viewing').count() > 0)
  await saved(bo)
  await clean(bo)
  await bo.close()
  await gone(anna, 'B')
  await clean(anna)
  await close(anna, bo)
})

test('8: who drops and returns with the same page is seen at once, and sees the others', { skip }, async (t) => {
  const anna = await open('Anna')
  const [bo, line] = await openThroughProxy(t, 'Bo')
  await field(bo, 'Summary').click()
  await until('Bo\'s caret', async () => await carets(anna, 'Bo').count() === 1)
  for (let round = 0; round < 3; round++) {
    cut(line)
    await gone(anna, 'B')
    mend(line)
    await saved(bo)
    await here(anna, 'B', 3000)                           // a returning client with its old clock stays unseen for 15 s
    await here(bo, 'A', 3000)
    await until('and his caret', async () => await carets(anna, 'Bo').count() === 1)
  }
  await clean(anna, bo)
  await close(anna, bo)
})

test('9: dropped, back, dropped again without goodbye, half open: no ghost', { skip }, async (t) => {
  const anna = await open('Anna')
  const [bo, line] = await openThroughProxy(t, 'Bo')
  await here(anna, 'B')
  line.drop()                                             // back by himself
  await until('a new socket', () => line.count >= 2)
  await saved(bo)
  await here(anna, 'B')
  line.vanish()                                           // the server still believes in the old socket
  await until('Bo has noticed', async () => await state(bo) !== 'saved')
  await saved(bo)
  await here(anna, 'B')
  assert.equal(await anna.getByTestId('presence').locator('[data-count]').count(), 0, 'one Bo, not two tabs of him')
  cut(line)
  await gone(anna, 'B', 5000)                             // a ghost would stay for 30 s
  mend(line)
  await saved(bo)
  await here(anna, 'B')
  line.refuse(true)
  line.vanish()                                           // half open, and he does not come back
  await gone(anna, 'B', 15000)
  await until('none of his carets', async () => await carets(anna, 'Bo').count() === 0)
  await clean(anna)
  await close(anna, bo)
})

test('11: two tabs of one person are one avatar with a count', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const second = await newPage(bo.context())
  await second.goto(`${server.url}/atom/${ATOM}`)
  await opened(second)
  const count = (n) => anna.getByTestId('presence').locator(`[data-count="${n}"]`).count()
  await until('one avatar, count 2', async () => await avatars(anna, 'B').count() === 1 && await count(2) === 1)
  await clean(anna, second)
  await second.close()
  await until('one avatar, no count', async () => await avatars(anna, 'B').count() === 1 && await count(2) === 0)
  await clean(bo)
  await close(anna, bo)
})

test('13: offline both edit; back online everything is merged, and the footer was true at each step', { skip }, async (t) => {
  const bo = await open('Bo')
  const [anna, line] = await openThroughProxy(t, 'Anna')
  await placeCaret(bo, 'Summary')
  await until('Bo\'s caret', async () => await carets(anna, 'Bo').count() === 1)
  const footer = await footerLog(anna)
  cut(line)
  await offline(anna)
  await until('nobody\'s caret or avatar is shown offline', async () =>
    await carets(anna, 'Bo').count() === 0 && await avatars(anna, 'B').count() === 0)
  await typeAtEnd(anna, 'Purpose', ' Written offline.')
  await until('the count', async () => await anna.getByTestId('save-state').innerText() === 'Offline. 17 changes kept on this device')
  await clean(anna)
  await typeAtEnd(bo, 'Purpose', ' Written online.')
  await saved(bo)
  await inYaml('Written online.')
  assert.equal(await state(anna), 'offline')
  mend(line)
  await saved(anna)
  const text = await same(anna, bo, 'Purpose', 'Written offline.')
  for (const words of ['Written offline.', 'Written online.']) assert.equal(times(text, words), 1, `${words} in: ${text}`)
  const said = await footer()
  assert.equal(said.filter((s) => s === 'All changes saved').length, 2, `saved before and after, never between: ${said.join(' | ')}`)
  assert.equal(said.at(-1), 'All changes saved')
  await inYaml('Written offline.')
  await here(anna, 'B')
  await clean(anna, bo)
  await close(anna, bo)
})

test('14: the browser is closed while the server is down; opened again, the edits arrive once', { skip }, async () => {
  const profile = join(server.dir, 'profile')
  const first = await launchWithProfile(profile)
  await signIn(first, server, 'Dewi')
  const dewi = await newPage(first, OFFLINE)
  await dewi.goto(`${server.url}/atom/${ATOM}`)
  await opened(dewi)
  await server.kill9()
  await until('Dewi is told', async () => await state(dewi) !== 'saved')
  await typeAtEnd(dewi, 'Summary', ' Kept in the browser.')
  await offline(dewi)
  await clean(dewi)
  await first.close()
  await server.restart()
  const second = await launchWithProfile(profile)
  const again = await newPage(second)
  await again.goto(`${server.url}/atom/${ATOM}`)
  await opened(again)
  const bo = await open('Bo')
  const text = await same(again, bo, 'Summary', 'Kept in the browser.')
  assert.equal(times(text, 'Kept in the browser.'), 1)
  await inYaml('Kept in the browser.')
  await again.reload()
  await opened(again)
  assert.equal(await textOf(again, 'Summary'), text, 'sent once, not once per visit')
  await clean(again, bo)
  await second.close()
  await close(bo)
})

test('15: kill -9 after "saved": the words are there; before the ack they are sent again', { skip }, async (t) => {
  const [anna, line] = await openThroughProxy(t, 'Anna')
  await typeAtEnd(anna, 'Description', ' Saved before the kill.')
  await saved(anna)
  await server.kill9()
  await until('Anna is told', async () => await state(anna) !== 'saved')
  await anna.keyboard.type(' Typed while it was down.')
  await server.restart()
  await saved(anna)
  line.stall(true)                                        // what she types now does not reach the server
  await anna.keyboard.type(' Never acknowledged.')
  await until('not said to be saved', async () => await state(anna) === 'saving')
  await server.kill9()
  cut(line)
  line.stall(false)
  await until('reconnecting', async () => ['reconnecting', 'offline'].includes(await state(anna)))
  await server.restart()
  mend(line)
  await saved(anna)
  const bo = await open('Bo')
  const text = await same(anna, bo, 'Description', 'Never acknowledged.')
  for (const words of ['Saved before the kill.', 'Typed while it was down.', 'Never acknowledged.']) {
    assert.equal(times(text, words), 1, `${words} in: ${text}`)
    await inYaml(words)
  }
  await clean(anna, bo)
  await close(anna, bo)
})

test('16: it never says saved before the acknowledgement', { skip }, async () => {
  const context = await browser.newContext()
  let hold = false
  const held = []
  await context.routeWebSocket(/\/ws\//, (ws) => {
    const there = ws.connectToServer()
    ws.onMessage((m) => there.send(m))
    there.onMessage((m) => { if (hold) held.push(() => ws.send(m)); else ws.send(m) })
  })
  await signIn(context, server, 'Anna')
  const page = await newPage(context)
  await page.goto(`${server.url}/atom/${ATOM}`)
  await opened(page)
  const footer = await footerLog(page)
  hold = true
  await typeAtEnd(page, 'Summary', ' Held back.')
  await until('saving is said', async () => await state(page) === 'saving')
  await inYaml('Held back.')
  assert.equal(await state(page), 'saving', 'on disk, but not acknowledged: not saved')
  hold = false
  for (const send of held.splice(0)) send()
  await saved(page)
  assert.equal((await footer()).filter((s) => s === 'All changes saved').length, 2, 'before and after, never between')
  await clean(page)
  await close(page)
})

test('5: a step is deleted while somebody edits it on a dead line; both get the card, one click keeps it', { skip }, async (t) => {
  const anna = await open('Anna')
  const [bo, line] = await openThroughProxy(t, 'Bo')
  const step = await textOf(bo, 'Step 2')
  cut(line)
  await until('Bo is cut off', async () => await state(bo) !== 'saved')
  await typeAtEnd(bo, 'Step 2', ', twice')
  await anna.getByRole('button', { name: 'Remove step 2' }).click()
  await saved(anna)
  mend(line)
  await saved(bo)
  for (const page of [anna, bo]) {
    const card = page.getByTestId('conflict-card')
    await card.waitFor()
    assert.ok((await card.innerText()).includes(`${step}, twice`), await card.innerText())
  }
  await clean(anna, bo)
  await anna.getByTestId('conflict-card').getByRole('button', { name: 'Keep this step' }).click()
  await same(anna, bo, 'Step 2', `${step}, twice`)
  for (const page of [anna, bo]) await until('no card', async () => await page.getByTestId('conflict-card').count() === 0)
  await inYaml(`${step}, twice`)
  await clean(anna, bo)
  await close(anna, bo)
})
