// atom.mjs -- the page of one atom of examples/lending as a test sees it: open, type, read, wait for the footer.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../node/server.mjs'
import { person } from './browser.mjs'

export const ATOM = 'atom-bo-affordability'
export const FILE = `atoms/processes/${ATOM}.yaml`
export const OFFLINE = [/WebSocket|net::ERR|Failed to fetch|Failed to load resource/]   // what a cut line puts in the console

export const yaml = (server) => readFileSync(join(server.workspace, FILE), 'utf8')
export const flat = (text) => text.replace(/\s+/g, ' ')
export const times = (text, part) => flat(text).split(part).length - 1

export const field = (page, label) => page.getByRole('textbox', { name: label, exact: true })
export const textOf = async (page, label) => (await field(page, label).locator('.cm-line').allInnerTexts()).join('\n')
export const state = (page) => page.getByTestId('save-state').getAttribute('data-state')
export const saved = (page) => until('saved', async () => await state(page) === 'saved', 20000)
export const offline = (page) => until('offline', async () => await state(page) === 'offline')

/** The page is there when the server agreed on the document and the editors, which load by themselves, have come. */
export async function opened(page) {
  await page.getByTestId('atom-editor').waitFor()
  await saved(page)
  await until('the editors', async () => await textOf(page, 'Description') !== '')
  return page
}

/** at: a server, or anything with its url (a proxy in front of one). options: as person(). */
export async function openAtom(browser, at, name, options) {
  const page = await person(browser, at, name, options)
  await page.goto(`${at.url}/atom/${ATOM}`)
  return opened(page)
}

export const close = async (...pages) => { for (const p of pages) await p.context().close() }

/** keys: what to press after the caret is at the end of the field. */
export async function placeCaret(page, label, keys = []) {
  await field(page, label).click()
  await page.keyboard.press('Control+End')
  for (const key of keys) await page.keyboard.press(key)
}

export async function typeAtEnd(page, label, text) {
  await placeCaret(page, label)
  await page.keyboard.type(text)
}

export const same = (a, b, label, part) => until(`${label} equal, with ${part}`, async () => {
  const [x, y] = [await textOf(a, label), await textOf(b, label)]
  return x === y && x.includes(part) ? x : null
})

/** Of everybody whose name begins with these initials: their avatars in the page's bar. */
export const avatars = (page, initials) => page.getByTestId('presence').locator(`[data-initials^="${initials}"]`)
export const here = (page, initials, ms) => until(`${initials} is there`, async () => await avatars(page, initials).count() === 1, ms)
export const gone = (page, initials, ms) => until(`${initials} has gone`, async () => await avatars(page, initials).count() === 0, ms)
export const carets = (page, name) => page.locator(`.remote-caret[data-name="${name}"]`)

/** Writes down every word of the footer from now on; the result asks for them. */
export async function footerLog(page) {
  await page.evaluate(() => {
    const footer = document.querySelector('[data-testid="save-state"]')
    const log = globalThis.footerLog = [footer.textContent]
    new MutationObserver(() => { if (log.at(-1) !== footer.textContent) log.push(footer.textContent) })
      .observe(footer, { subtree: true, childList: true, characterData: true, attributes: true })
  })
  return () => page.evaluate(() => globalThis.footerLog)
}
