// The examples of docs/protocol.md, line by line, against the server.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { root, startServer, until } from './server.mjs'

let server
before(async () => { server = await startServer() })
after(() => server.remove())

const varUint = (n) => n < 128 ? [n] : [n & 127 | 128, ...varUint(n >> 7)]

/** `00 02 [01 "t"]` to bytes. */
const bytesOf = (line) => {
  const stack = [[]]
  for (const word of line.match(/"[^"]*"|\[|\]|[0-9a-f]{2}(?![0-9a-f])/g) ?? []) {
    if (word === '[') stack.push([])
    else if (word === ']') { const inner = stack.pop(); stack.at(-1).push(...varUint(inner.length), ...inner) }
    else if (word[0] === '"') { const text = [...new TextEncoder().encode(word.slice(1, -1))]; stack.at(-1).push(...varUint(text.length), ...text) }
    else stack.at(-1).push(parseInt(word, 16))
  }
  return stack[0]
}

const compare = (got, line) => {
  if (!line.startsWith('{')) return assert.deepEqual([...got], bytesOf(line), line)
  const want = JSON.parse(line), have = JSON.parse(got)
  assert.deepEqual(Object.keys(have), Object.keys(want), line)
  for (const key in want) if (want[key] !== '...') assert.deepEqual(have[key], want[key], line)
}

const text = readFileSync(join(root, 'docs/protocol.md'), 'utf8')
const examples = [...text.matchAll(/```wire (\S+)\n([^`]*)```/g)]
assert.equal(examples.length, 3)

for (const [, path, body] of examples) {
  test(`docs/protocol.md ${path}`, async () => {
    const ws = new WebSocket(server.wsUrl + path), came = []
    ws.on('message', (data, isBinary) => came.push(isBinary ? new Uint8Array(data) : data.toString()))
    await new Promise((done, fail) => { ws.on('open', done); ws.on('error', fail) })
    for (const whole of body.trim().split('\n')) {
      const line = whole.replace(/\s+#.*$/, '')
      if (line[0] === '>') ws.send(line[2] === '{' ? line.slice(2) : Uint8Array.from(bytesOf(line.slice(2))))
      else compare(await until(line, () => came.length && came.shift()), line.slice(2))
    }
    assert.equal(came.length, 0)
    ws.close()
  })
}
