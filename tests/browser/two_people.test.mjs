// two_people.test.mjs -- Anna and Bo in two real browser contexts on one atom: typing, steps, undo, carets, choices,
// the file underneath. Each scenario ends with equal documents, a clean console, axe, and the YAML on disk.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root, startServer, until } from '../node/server.mjs'
import {
  FILE, OFFLINE, avatars, carets, close, field, flat, here, openAtom, opened, placeCaret, same, saved, state,
  textOf, times, typeAtEnd, yaml,
} from './atom.mjs'
import { clean, launch, missing, person } from './browser.mjs'

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

test('1, 3: letters arrive in order; different fields do not disturb each other; the YAML holds both', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const words = ' Every letter of this sentence arrives in the order in which it was typed, one by one, two hundred of them'
    + ' and no letter twice, however fast they come and whatever somebody else is typing just below it.'
  assert.ok(words.length >= 200)
  await Promise.all([typeAtEnd(anna, 'Summary', words), typeAtEnd(bo, 'Purpose', ' Bo wrote this meanwhile.')])
  assert.ok((await same(anna, bo, 'Summary', words.trim())).endsWith(words))
  await same(anna, bo, 'Purpose', 'Bo wrote this meanwhile.')
  for (const page of [anna, bo]) {
    await saved(page)
    assert.equal(await page.getByTestId('conflict-card').count(), 0, 'no conflict raised')
  }
  await inYaml(words.trim())
  await inYaml('Bo wrote this meanwhile.')
  await clean(anna, bo)
  await close(anna, bo)
})

test('2: two type in the middle of one word; nothing is lost, each one\'s letters keep their order', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const before = await textOf(anna, 'Description')
  const three = ['Control+Home', 'ArrowRight', 'ArrowRight', 'ArrowRight']
  await placeCaret(anna, 'Description', three)
  await placeCaret(bo, 'Description', three)
  const [digits, signs] = ['12345678', '+=*#&@%~']
  await Promise.all([anna.keyboard.type(digits, { delay: 15 }), bo.keyboard.type(signs, { delay: 15 })])
  const pick = (text, alphabet) => [...text].filter((c) => alphabet.includes(c)).join('')
  const both = await until('all sixteen at both ends', async () => {
    const [x, y] = [await textOf(anna, 'Description'), await textOf(bo, 'Description')]
    return x === y && x.length === before.length + 16 ? x : null
  })
  assert.equal(pick(both, digits), digits)
  assert.equal(pick(both, signs), signs)
  assert.equal([...both].filter((c) => !digits.includes(c) && !signs.includes(c)).join(''), before, 'what was there')
  await anna.keyboard.type('9')
  await bo.keyboard.type('^')
  const more = await until('each caret stood behind its own last letter', async () => {
    const [x, y] = [await textOf(anna, 'Description'), await textOf(bo, 'Description')]
    return x === y && x.length === both.length + 2 ? x : null
  })
  assert.match(more, /89/)
  assert.match(more, /~\^/)
  assert.equal(await carets(anna, 'Bo').count(), 1)
  assert.equal(await carets(bo, 'Anna').count(), 1)
  await saved(bo)
  await inYaml(flat(more).slice(0, 40))
  await clean(anna, bo)
  await close(anna, bo)
})

test('6: undo takes back only one\'s own words inside the other\'s sentence, redo brings them again', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  await typeAtEnd(bo, 'Business context', ' Bo wrote a whole sentence.')
  const bos = await same(anna, bo, 'Business context', 'Bo wrote a whole sentence.')
  await placeCaret(anna, 'Business context', Array(9).fill('ArrowLeft'))
  await anna.keyboard.type('and carefully checked ')
  const all = await same(anna, bo, 'Business context', 'whole and carefully checked sentence.')
  await bo.keyboard.type(' And one more.')
  await same(anna, bo, 'Business context', 'sentence. And one more.')
  await anna.keyboard.press('Control+z')
  await until('only Bo\'s words are left', async () => await textOf(anna, 'Business context') === `${bos} And one more.`
    && await textOf(bo, 'Business context') === `${bos} And one more.`)
  await anna.getByRole('button', { name: 'Redo' }).click()
  await until('back again', async () => await textOf(anna, 'Business context') === `${all} And one more.`
    && await textOf(bo, 'Business context') === `${all} And one more.`)
  await saved(anna)
  await inYaml('whole and carefully checked sentence. And one more.')
  await clean(anna, bo)
  await close(anna, bo)
})

test('4: a step is moved while somebody edits it; the words follow the step', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const moved = await textOf(anna, 'Step 1')
  await placeCaret(bo, 'Step 1')
  await Promise.all([
    bo.keyboard.type(' (checked twice)'),
    (async () => { await field(anna, 'Step 1').click(); await anna.keyboard.press('Alt+ArrowDown') })(),
  ])
  const whole = `${moved} (checked twice)`
  await until('the second step is the moved one with Bo\'s words', async () =>
    await textOf(anna, 'Step 2') === whole && await textOf(bo, 'Step 2') === whole)
  await inYaml(whole)
  assert.equal(times(yaml(server), moved), 1, 'the step is there once')
  await clean(anna, bo)
  await close(anna, bo)
})

test('5: a step is deleted under somebody\'s hands; one click on the card keeps it', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const step = await textOf(bo, 'Step 3')
  await typeAtEnd(bo, 'Step 3', ' to the cent')
  await same(anna, bo, 'Step 3', 'to the cent')
  await anna.getByRole('button', { name: 'Remove step 3' }).click()
  const card = bo.getByTestId('conflict-card')
  await card.waitFor()
  assert.match(await card.innerText(), /Deleted by Anna while you were editing it/)
  assert.ok((await card.innerText()).includes(`${step} to the cent`), 'the card shows the words')
  await until('gone from the file', () => times(yaml(server), `${step} to the cent`) === 0)
  await clean(anna, bo)
  await card.getByRole('button', { name: 'Keep this step' }).click()
  await same(anna, bo, 'Step 3', `${step} to the cent`)
  assert.equal(await bo.getByTestId('conflict-card').count(), 0)
  await inYaml(`${step} to the cent`)
  await clean(anna, bo)
  await close(anna, bo)
})

test('10: a caret goes on blur and on leaving the page; the text box holds the document\'s text alone', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const text = await textOf(anna, 'Summary')
  await field(bo, 'Summary').click()
  await until('Anna sees Bo\'s caret', async () => await carets(anna, 'Bo').count() === 1)
  assert.equal(await textOf(anna, 'Summary'), text)
  assert.equal(flat(await field(anna, 'Summary').evaluate((e) => e.textContent)), flat(text), 'no name inside the text box')
  await bo.getByRole('banner').first().click()
  await until('gone on blur', async () => await carets(anna, 'Bo').count() === 0)
  await field(bo, 'Summary').click()
  await until('there again', async () => await carets(anna, 'Bo').count() === 1)
  await bo.getByRole('link', { name: 'Explorer' }).first().click()
  await until('gone with the page', async () => await carets(anna, 'Bo').count() === 0 && await avatars(anna, 'B').count() === 0)
  await clean(anna, bo)
  await bo.goBack()
  await opened(bo)
  await field(bo, 'Summary').click()
  await anna.reload()                                     // his caret was there before her, and never moves again
  await opened(anna)
  await until('seen by who comes later', async () => await carets(anna, 'Bo').count() === 1)
  await close(bo)
  await until('gone with the browser', async () => await carets(anna, 'Bo').count() === 0)
  await clean(anna)
  await close(anna)
})

test('17: one field set by two: the same winner at both ends and in the YAML', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const box = (page) => page.getByRole('combobox', { name: 'Status' })
  await Promise.all([box(anna).selectOption('DRAFT'), box(bo).selectOption('DEPRECATED')])
  for (const page of [anna, bo]) await saved(page)
  await until('one value everywhere', async () => {
    const inFile = /^status: (\w+)$/m.exec(yaml(server))?.[1]
    return ['DRAFT', 'DEPRECATED'].includes(inFile) && await box(anna).inputValue() === inFile && await box(bo).inputValue() === inFile
  })
  await clean(anna, bo)
  await close(anna, bo)
})

test('18: the file changes on disk while two people type; nobody\'s words are lost', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  await typeAtEnd(anna, 'Purpose', ' Anna was here.')
  await saved(anna)
  await inYaml('Anna was here.')
  writeFileSync(join(server.workspace, FILE), yaml(server).replace(/^owner: .*$/m, 'owner: Somebody Outside'))
  const shows = (page) => until('the outside change is on the screen', async () =>
    await page.getByRole('combobox', { name: 'Owner' }).inputValue() === 'Somebody Outside')
  await Promise.all([typeAtEnd(bo, 'Summary', ' Bo types on.'), shows(anna), shows(bo)])
  await until('the file holds all three', () => /^owner: Somebody Outside$/m.test(yaml(server))
    && times(yaml(server), 'Bo types on.') === 1 && times(yaml(server), 'Anna was here.') === 1)
  await same(anna, bo, 'Summary', 'Bo types on.')
  await clean(anna, bo)
  await close(anna, bo)
})

test('36: a Japanese word is composed while the same line is edited by another', { skip }, async () => {
  const [anna, bo] = [await open('Anna'), await open('Bo')]
  const input = await anna.context().newCDPSession(anna)
  const compose = (text) => input.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
  await placeCaret(anna, 'Purpose')
  await compose('に')
  await placeCaret(bo, 'Purpose', ['Control+Home'])
  await bo.keyboard.type('First of all: ')
  await until('Bo\'s words are in the line that is being composed', async () =>
    (await textOf(anna, 'Purpose')).startsWith('First of all: '))
  await compose('にほ')
  await bo.keyboard.type('quite ')
  await until('more of them', async () => (await textOf(anna, 'Purpose')).startsWith('First of all: quite '))
  await compose('にほん')
  await input.send('Input.insertText', { text: '日本' })
  const text = await same(anna, bo, 'Purpose', '日本')
  assert.ok(text.startsWith('First of all: quite ') && text.endsWith('日本'), text)
  assert.doesNotMatch(text, /[にほん]/, 'what was composed on the way is gone')
  await anna.keyboard.type(' too')
  assert.ok((await same(anna, bo, 'Purpose', '日本 too')).endsWith('日本 too'), 'the caret stayed behind the word')
  await saved(anna)
  await inYaml('日本 too')
  await clean(anna, bo)
  await close(anna, bo)
})

test('an atom is created on screen, found, deleted: its file comes and goes, who has it open is told', { skip }, async () => {
  const anna = await person(browser, server, 'Anna'), bo = await person(browser, server, 'Bo')
  await anna.goto(server.url)
  await anna.getByRole('button', { name: 'New atom' }).first().click()
  const dialog = anna.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Check the land register')
  await clean(anna)
  await dialog.getByRole('button', { name: 'Create atom' }).click()
  await anna.getByTestId('atom-editor').waitFor()
  await saved(anna)
  const id = decodeURIComponent(new URL(anna.url()).pathname.split('/').pop())
  assert.equal((await (await fetch(`${server.url}/api/atoms/${id}`)).json()).name, 'Check the land register')
  const atoms = join(server.workspace, 'atoms')
  const files = () => readdirSync(atoms, { recursive: true }).filter((f) => f.endsWith(`${id}.yaml`))
  await until('its file', () => files().length === 1
    && readFileSync(join(atoms, files()[0]), 'utf8').includes('name: Check the land register'))

  await bo.goto(server.url)
  await bo.getByLabel('Search atoms').fill('land register')
  await bo.getByRole('main').getByText('Check the land register').first().click()
  await bo.getByTestId('atom-editor').waitFor()
  await here(anna, 'B')

  await anna.getByRole('button', { name: 'More for this atom' }).click()
  await anna.getByRole('menuitem', { name: 'Delete atom' }).click()
  await anna.getByRole('dialog').getByRole('button', { name: 'Delete atom' }).click()
  await bo.getByText('This atom was deleted').waitFor()
  await until('no file', () => files().length === 0)
  assert.equal((await fetch(`${server.url}/api/atoms/${id}`)).status, 404)
  await bo.reload()                                       // he has a copy on his device: it does not come back to life
  await bo.getByText('This atom was deleted').waitFor()
  const chen = await person(browser, server, 'Chen')
  await chen.goto(`${server.url}/atom/${id}`)
  await chen.getByText('There is no atom').waitFor()
  assert.equal(files().length, 0)
  await clean(anna, bo, chen)
  await close(anna, bo, chen)
})

test('after all this: kill -9, and the same words are on the page and in the file', { skip }, async () => {
  const anna = await open('Anna', { ignore: OFFLINE })
  const labels = ['Summary', 'Description', 'Purpose', 'Business context', 'Step 1', 'Step 2', 'Step 3', 'Step 4']
  const all = async (page) => Object.fromEntries(await Promise.all(labels.map(async (l) => [l, await textOf(page, l)])))
  const [words, file] = [await all(anna), yaml(server)]
  await server.kill9()
  await until('Anna is told', async () => await state(anna) !== 'saved')
  await server.restart()
  await saved(anna)
  const bo = await open('Bo')
  assert.deepEqual(await all(bo), words)
  assert.deepEqual(await all(anna), words)
  assert.equal(yaml(server), file)
  await clean(anna, bo)
  await close(anna, bo)
})
