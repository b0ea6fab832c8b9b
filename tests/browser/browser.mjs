// browser.mjs -- real browsers for tests: Debian's Chromium, and Firefox ESR for the smoke flow.
// One test runs in both; a person is a browser context with a signed-in name of its own.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, firefox } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const CHROMIUM = '/usr/bin/chromium'
const FIREFOX = '/usr/bin/firefox-esr'
const VIEWPORT = { width: 1280, height: 800 }
const FIREFOX_LEAST = 153      // the first long-term release that playwright-core 1.64 was seen to drive

export const missing = (which) => {
  const path = which === 'firefox' ? FIREFOX : CHROMIUM
  if (!existsSync(path)) return `${path} is not installed`
  if (which !== 'firefox') return false
  const version = execFileSync(FIREFOX, ['--version'], { encoding: 'utf8' }).trim()     // "Mozilla Firefox 153.7.0esr"
  return Number(/\d+/.exec(version)?.[0]) >= FIREFOX_LEAST ? false : `${version} is too old to be driven; ${FIREFOX_LEAST} is needed`
}

const OPTIONS = { executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
  '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'] }

export const launch = (which = 'chromium') => which === 'firefox'
  ? firefox.launch({ channel: 'moz-firefox', executablePath: FIREFOX, headless: true,
      firefoxUserPrefs: { 'network.dns.native-is-localhost': true } })
  : chromium.launch(OPTIONS)

/** A browser of its own whose profile is on disk: what it keeps survives closing it. Its context. */
export const launchWithProfile = (folder) => chromium.launchPersistentContext(folder, { ...OPTIONS, viewport: VIEWPORT })

/**
 * A context signed in as `name` in open mode; its page collects what the console calls an error.
 * options: any of newContext's, plus `ignore`: patterns of console errors that the test provokes.
 */
export async function person(browser, server, name, { ignore = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: VIEWPORT, ...options })
  await signIn(context, server, name)
  return newPage(context, ignore)
}

export async function signIn(context, server, name) {
  const answer = await context.request.post(`${server.url}/api/auth/name`, { data: { name }, headers: { Origin: server.url } })
  assert.equal(answer.status(), 200, `sign in as ${name}: ${await answer.text()}`)
}

export async function newPage(context, ignore = []) {
  const page = await context.newPage()
  page.errors = []
  page.ignore = [...ignore]
  page.on('console', (m) => { if (m.type() === 'error') page.errors.push(`${m.text()} ${m.location().url}`) })
  page.on('pageerror', (e) => page.errors.push(String(e)))
  return page
}

/** How every scenario ends: no console errors, nothing that axe calls a violation. */
export async function clean(...pages) {
  for (const page of pages) {
    assert.deepEqual(page.errors.filter((e) => !page.ignore.some((p) => p.test(e))), [], 'errors in the console')
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`), [], 'axe')
  }
}
