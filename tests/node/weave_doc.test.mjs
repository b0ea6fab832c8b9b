// weave_doc.test.mjs -- weave against npm yjs: random sessions (SEED, ROUNDS), and cases that once failed.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Weave, makeCase, runCase, shrink } from './weave_doc.mjs'

const PROGRAM = process.env.WEAVE_CLI ?? fileURLToPath(new URL('../../build/weave-cli', import.meta.url))
const KEPT = fileURLToPath(new URL('./weave_doc.cases.json', import.meta.url))
const SEED = Number(process.env.SEED ?? Date.now() % 1e9)
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? process.env.ROUNDS ?? 60)

test(`random sessions against yjs: SEED=${SEED} ROUNDS=${ROUNDS}`, { timeout: 600000 }, async () => {
  const weave = new Weave(PROGRAM)
  let documents = 0, differ = 0
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const c = makeCase(SEED + round)
      const { error, differs } = await runCase(weave, c)
      if (error) {
        const { error: why, ...small } = await shrink(PROGRAM, c)
        assert.fail(`SEED=${SEED + round} ROUNDS=1 fails: ${why?.message ?? error.message}\nkept case:\n${JSON.stringify(small)}`)
      }
      documents += c.replicas.filter(r => r.weave).length
      differ += differs.length
      if (differs.length && process.env.VERBOSE) console.log(`seed ${SEED + round}\n  ${differs[0]}`)
    }
  } finally {
    await weave.end()
  }
  console.log(`# ${ROUNDS} sessions, ${documents} weave documents, bytes as yjs in ${documents - differ}`)
})

const kept = fs.existsSync(KEPT) ? JSON.parse(fs.readFileSync(KEPT)) : []
for (const { name, ...c } of kept) {
  test(`kept: ${name}`, async () => {
    const weave = new Weave(PROGRAM)
    try {
      const { error } = await runCase(weave, c)
      assert.equal(error, null)
    } finally {
      await weave.end()
    }
  })
}
