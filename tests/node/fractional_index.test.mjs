// fractional_index.test.mjs -- our orders are those of npm fractional-indexing, character for character.
// SEED=n repeats a run.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyBetween } from 'fractional-indexing'

const root = new URL('../../', import.meta.url).pathname
const program = `${root}${process.env.B ?? 'build'}/order-cli`
let seed = Number(process.env.SEED ?? Date.now() % 1e9)
console.log(`# seed ${seed}`)
const roll = n => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
  return (seed >> 8) % n
}

function ours(pairs) {
  const input = pairs.map(([a, b]) => `${a ?? '-'} ${b ?? '-'}\n`).join('')
  const r = spawnSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  assert.equal(r.status, 0)
  return r.stdout.trimEnd().split('\n')
}

function theirs(a, b) {
  try { return generateKeyBetween(a, b) } catch { return '!' }
}

function compare(pairs) {
  ours(pairs).forEach((key, i) => assert.equal(key, theirs(...pairs[i]), JSON.stringify(pairs[i])))
}

test('a list that grows at random places has the same orders', () => {
  const pairs = [], keys = []
  for (let i = 0; i < 5000; i++) {
    const where = roll(4)
    const at = where === 0 ? 0 : where === 1 ? keys.length : where === 2 ? Math.min(1, keys.length) : roll(keys.length + 1)
    const pair = [keys[at - 1] ?? null, keys[at] ?? null]
    pairs.push(pair)
    keys.splice(at, 0, generateKeyBetween(...pair))
  }
  compare(pairs)
})

test('only forwards, only backwards', () => {
  const pairs = []
  let last = null, first = null
  for (let i = 0; i < 5000; i++) {
    pairs.push([last, null], [null, first])
    last = generateKeyBetween(last, null)
    first = generateKeyBetween(null, first)
  }
  compare(pairs)
})

test('always into the same gap', () => {
  const pairs = []
  let low = 'a0', high = 'a1'
  for (let i = 0; i < 400; i++) {
    pairs.push([low, high])
    const key = generateKeyBetween(low, high)
    if (roll(2)) low = key
    else high = key
  }
  compare(pairs)
})

test('the ends of the range', () => {
  const z = 'z'.padEnd(27, 'z'), A = 'A'.padEnd(27, '0')
  compare([[null, null], [z, null], [z + 'z', null], [z + 'zV', null], [null, A + '1'], [null, A + 'V'], [null, A + '01'],
    ['Zz', null], [null, 'a0'], ['a0', 'a0V'], ['Zz', 'a0'], ['a0', 'b00'], ['az', 'b00'], [null, 'Zz']])
})

test('before the second smallest integer we give a key, npm one that it refuses itself', () => {
  const second = 'A'.padEnd(26, '0') + '1'
  const [key] = ours([[null, second]])
  assert.throws(() => generateKeyBetween(generateKeyBetween(null, second), second))
  assert.ok(key < second && generateKeyBetween(key, second) > key)
})

test('what is no order, or not in order, is refused', () => {
  const wrong = ['a', '0', 'a00', 'a1V0', 'b0', '!', 'A'.padEnd(27, '0'), 'a-', 'é0']
  const pairs = [['a1', 'a0'], ['a0', 'a0'], ['b00', 'a0']]
  for (const key of wrong) pairs.push([key, null], [null, key])
  ours(pairs).forEach((key, i) => assert.equal(key, '!', JSON.stringify(pairs[i])))
})
