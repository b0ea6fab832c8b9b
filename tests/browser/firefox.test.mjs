// firefox.test.mjs -- the smoke flow with Firefox ESR and Chromium in one room: typing, presence, a dead server.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root, startServer, until } from '../node/server.mjs'
import { OFFLINE, carets, close, field, gone, here, offline, openAtom, same, saved, times, typeAtEnd, yaml } from './atom.mjs'
import { clean, launch, missing } from './browser.mjs'

const skip = missing('firefox') || missing('chromium')

let chromium, firefox, server
before(async () => {
  if (skip) return
  server = await startServer({ workspace: join(root, 'examples/lending') })
  ;[chromium, firefox] = await Promise.all([launch(), launch('firefox')])
})
after(async () => { await firefox?.close(); await chromium?.close(); await server?.remove() })

test('firefox: 1, 2, 7, 13, 15 with Chromium in one room', { skip }, async () => {
  const ignore = [...OFFLINE, /can.t establish a connection|was interrupted|NetworkError|Cross-Origin Request Blocked/]
  const cora = await openAtom(firefox, server, 'Cora', { ignore })
  const anna = await openAtom(chromium, server, 'Anna', { ignore })
  await here(cora, 'A')
  await here(anna, 'C')
  await Promise.all([typeAtEnd(cora, 'Summary', ' From Firefox.'), typeAtEnd(anna, 'Purpose', ' From Chromium.')])
  await same(cora, anna, 'Summary', 'From Firefox.')
  await same(cora, anna, 'Purpose', 'From Chromium.')
  await field(anna, 'Description').click()
  await until('a caret in Firefox', async () => await carets(cora, 'Anna').count() === 1)
  await saved(cora)
  await server.kill9()
  await offline(cora)
  await typeAtEnd(cora, 'Summary', ' While it was down.')
  await server.restart()
  for (const page of [cora, anna]) await saved(page)
  const text = await same(cora, anna, 'Summary', 'While it was down.')
  for (const words of ['From Firefox.', 'While it was down.']) {
    assert.equal(times(text, words), 1)
    await until(`${words} in the YAML`, () => times(yaml(server), words) === 1)
  }
  await clean(cora, anna)
  await close(cora)
  await gone(anna, 'C')
  await close(anna)
})
