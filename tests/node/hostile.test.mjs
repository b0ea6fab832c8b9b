// Hostile input: a clear error, nothing changed, nobody else disturbed. One test per kind of it.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { root, startServer, until } from './server.mjs'

let server, ann, bob, round = 0, filesBefore
const editor = (name) => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${server.wsUrl}/yjs`, 'bystanders', doc,
    { WebSocketPolyfill: WebSocket, disableBc: true, params: { user: name } })
  const e = { doc, provider, text: doc.getText('t'), drops: 0 }
  provider.on('connection-close', () => e.drops++)
  return e
}
const hashes = (dir) => readdirSync(dir, { recursive: true }).map(String).filter((f) => statSync(join(dir, f)).isFile()).sort()
  .map((f) => `${f} ${createHash('sha256').update(readFileSync(join(dir, f))).digest('hex')}`).join('\n')

before(async () => {
  server = await startServer({ workspace: join(root, 'examples/lending') })
  ann = editor('ann'); bob = editor('bob')
  await until('sync', () => ann.provider.synced && bob.provider.synced)
  filesBefore = hashes(server.workspace)
})
// Nobody else disturbed: the two still type on their first connection. Nothing changed: no file did.
afterEach(async () => {
  const mark = ` ${round++}`
  ann.text.insert(ann.text.length, mark)
  await until('bob has what ann typed', () => bob.text.toString().endsWith(mark))
  assert.equal(ann.drops + bob.drops, 0)
  assert.equal((await fetch(`${server.url}/health`)).status, 200)
  assert.equal(hashes(server.workspace), filesBefore)
})
after(async () => {
  for (const e of [ann, bob]) { e.provider.destroy(); e.provider.awareness.destroy() }
  await server.remove()
})

/** A bare WebSocket: what came, and how it closed. */
const open = async (path, options = {}, url = server.wsUrl) => {
  const ws = new WebSocket(url + path, options)
  const s = { ws, json: [], binary: [], closed: null, status: 0 }
  ws.on('message', (data, isBinary) => isBinary ? s.binary.push(new Uint8Array(data)) : s.json.push(JSON.parse(data)))
  ws.on('close', (code, reason) => { s.closed ??= { code, reason: String(reason) } })
  ws.on('unexpected-response', (_, r) => { s.status = r.statusCode; s.text = ''; r.on('data', (b) => { s.text += b }); r.on('end', () => { s.closed = { code: 0 } }) })
  ws.on('error', () => {})
  await until('open or refused', () => ws.readyState === WebSocket.OPEN || s.closed)
  return s
}
const closes = (s, ...codes) => until('a close', () => s.closed).then(() => assert.ok(codes.includes(s.closed.code), `${s.closed.code} ${s.closed.reason}`))

/** A raw socket after a good handshake; frames are written byte by byte as given. */
const raw = (path) => new Promise((done, fail) => {
  const c = net.connect(server.port, '127.0.0.1')
  let got = Buffer.alloc(0), isUp = false
  const s = { c, ended: false, code: () => { const i = got.lastIndexOf(0x88); return i < 0 ? 0 : got.readUInt16BE(i + 2) } }
  c.on('data', (b) => {
    got = Buffer.concat([got, b])
    if (isUp || !got.includes('\r\n\r\n')) return
    isUp = true
    got = got.subarray(got.indexOf('\r\n\r\n') + 4)
    done(s)
  })
  c.on('error', fail)
  c.on('close', () => { s.ended = true })
  c.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
})
/** A frame masked with zeros; len says what its header claims. */
const frame = (first, payload, len = payload.length) => {
  const head = len < 126 ? [first, 0x80 | len] : len < 65536 ? [first, 0xfe, len >> 8, len & 255]
    : [first, 0xff, ...[56n, 48n, 40n, 32n, 24n, 16n, 8n, 0n].map((n) => Number(BigInt(len) >> n & 255n))]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), Buffer.from(payload)])
}
const message = (bytes, step = 2) => { const e = encoding.createEncoder(); encoding.writeUint8(e, 0); encoding.writeUint8(e, step); encoding.writeVarUint8Array(e, bytes); return encoding.toUint8Array(e) }
/** An update of one struct that write(encoder) gives, with an empty delete set. */
const oneStruct = (client, clock, write) => {
  const e = encoding.createEncoder()
  for (const v of [1, 1, client, clock]) encoding.writeVarUint(e, v)
  write(e)
  encoding.writeVarUint(e, 0)
  return encoding.toUint8Array(e)
}
const http1 = (path, headers = {}, method = 'GET', body = undefined) => new Promise((done, fail) => {
  const r = http.request({ port: server.port, host: '127.0.0.1', path, method, headers }, (a) => { let t = ''; a.on('data', (b) => { t += b }); a.on('end', () => done({ status: a.statusCode, text: t })) })
  r.on('error', fail)
  r.end(body)
})

test('malformed frames: the sender is closed with a code', async () => {
  const bad = {
    'a reserved bit': frame(0xf2, [0]), 'a reserved opcode': frame(0x83, [0]), 'a fragmented ping': frame(0x09, [0]),
    'a ping of 126 bytes': frame(0x89, new Uint8Array(126)), 'nothing to continue': frame(0x80, [0]),
    'a message inside a message': Buffer.concat([frame(0x02, [0]), frame(0x82, [0])]),
    'no mask': Buffer.from([0x82, 1, 0]), 'a close of one byte': frame(0x88, [3]),
  }
  for (const [what, bytes] of Object.entries(bad)) {
    const s = await raw('/yjs/hostile-frames')
    s.c.write(bytes)
    await until(`the end after ${what}`, () => s.ended)
    assert.equal(s.code(), 1002, what)
  }
})

test('malformed updates: refused, nothing of them is shown to others', async () => {
  const huge = 2 ** 32 - 1
  const bad = {
    noise: Uint8Array.from({ length: 200 }, (_, i) => i * 37 & 255), 'counts without bytes': Uint8Array.from([255, 255, 255, 255, 15]),
    'a GC of 2^32': oneStruct(7, 0, (e) => { encoding.writeUint8(e, 0); encoding.writeVarUint(e, huge) }),
    'a clock beyond 2^32': oneStruct(7, huge, (e) => { encoding.writeUint8(e, 0); encoding.writeVarUint(e, 1000) }),
    'a client beyond 2^53': Uint8Array.from([1, 1, 255, 255, 255, 255, 255, 255, 255, 127, 0, 0, 1, 0]),
  }
  const seen = await open('/yjs/bystanders?user=witness')
  const state = Y.encodeStateVector(ann.doc)
  for (const [what, bytes] of Object.entries(bad)) {
    const s = await open('/yjs/bystanders?user=eve')
    s.ws.send(message(bytes))
    await until(`a close after ${what}`, () => s.closed)
    assert.ok(s.closed.code >= 1002 && s.closed.code !== 1006 && s.closed.reason, `${what}: ${s.closed.code} ${s.closed.reason}`)
  }
  assert.deepEqual(Y.encodeStateVector(bob.doc), state)
  assert.ok(!seen.binary.some((m) => m[0] === 0 && m[1] === 2), 'an update was relayed')
  seen.ws.close()
})

test('ids that only the server may use are refused', async () => {
  for (const client of [2 ** 53 - 1, 2 ** 53 - 2 ** 40]) {
    const doc = new Y.Doc()
    doc.clientID = client
    doc.getText('t').insert(0, 'forged')
    const s = await open('/yjs/bystanders?user=eve')
    s.ws.send(message(Y.encodeStateAsUpdate(doc)))
    await closes(s, 4410)
  }
  assert.ok(!bob.text.toString().includes('forged'))
})

test('updates with gaps: held up to a limit, never shown', async () => {
  const doc = new Y.Doc(), updates = []
  doc.on('update', (u) => updates.push(u))
  for (let i = 0; i < 400; i++) doc.getText('t').insert(0, 'GAP')
  const s = await open('/yjs/bystanders?user=eve')
  for (const u of updates.slice(1)) s.ws.send(message(u))
  s.ws.ping()
  await Promise.race([new Promise((done) => s.ws.once('pong', done)), until('a close', () => s.closed)])
  assert.ok(!bob.text.toString().includes('GAP'))
  assert.ok(s.binary.filter((m) => m[0] === 0 && m[1] === 0).length <= 2, 'one step 1 for the same gap')
  s.ws.terminate()
})

test('oversized messages: JSON over 1 MiB and a length over 64 MiB', async () => {
  const s = await open('/ws/eve', { perMessageDeflate: false })
  s.ws.send(JSON.stringify({ type: 'heartbeat', more: 'x'.repeat(1 << 20) }))
  await closes(s, 1009)
  const r = await raw('/yjs/hostile-size')
  r.c.write(frame(0x82, [0], 2 ** 40))
  await until('the end', () => r.ended)
  assert.equal(r.code(), 1009)
})

test('fragmented messages: in single bytes they are read, without an end they are bounded', async () => {
  const s = await raw('/ws/eve')
  let heard = ''
  s.c.on('data', (b) => { heard += b })
  const text = Buffer.from('{"type":"nonsense"}')
  text.forEach((b, i) => s.c.write(frame((i ? 0 : 1) | (i === text.length - 1 ? 0x80 : 0), [b])))
  await until('an answer', () => heard.includes('UNKNOWN_TYPE'))
  for (let i = 0; i < 20 && !s.ended; i++) s.c.write(frame(i ? 0 : 1, Buffer.alloc(60000, 0x78)))
  await until('the end', () => s.ended)
  assert.equal(s.code(), 1009)
})

test('deep JSON, duplicate keys, bad UTF-8, unknown types: an error with a code', async () => {
  const s = await open('/ws/eve')
  const error = (text) => { s.json.length = 0; s.ws.send(text); return until('an error', () => s.json.find((m) => m.type === 'error')) }
  assert.equal((await error('['.repeat(100000))).code, 'INVALID_JSON')
  assert.equal((await error(`{"type":"join","room":${'['.repeat(33)}${']'.repeat(33)}}`)).code, 'INVALID_JSON')
  assert.equal((await error('{"type":"join","type":"leave"}')).code, 'INVALID_JSON')
  assert.equal((await error('{"type":"zzz","id":5}')).code, 'UNKNOWN_TYPE')
  assert.match((await error('{"type":"join","room":"\\u0000"}')).code, /^INVALID/)
  const r = await raw('/ws/eve')
  r.c.write(frame(0x81, [0x22, 0xc3, 0x28, 0x22]))
  await until('the end', () => r.ended)
  assert.equal(r.code(), 1007)
  s.ws.close()
})

test('ids with ../, NUL, 4 KiB: 4xx with detail, 44xx', async () => {
  for (const id of ['../../etc/passwd', '..%2f..%2fetc%2fpasswd', 'a..b', 'a%00b', '%2e%2e', 'x'.repeat(4096), '%ff%fe', 'a%0d%0ab']) {
    const what = id.slice(0, 30)
    for (const [method, path] of [['GET', `/api/atoms/${id}`], ['DELETE', `/api/atoms/${id}?user=eve`]]) {
      const a = await http1(path, {}, method)
      assert.ok(a.status >= 400 && a.status < 500, `${method} ${what}: ${a.status}`)
      assert.ok(JSON.parse(a.text).detail, `${method} ${what}`)
    }
    const s = await open(`/yjs/atom:${id.replace(/\.\.\//g, "..%2f")}?user=eve`)
    await until(`${what} refused`, () => s.closed)
    assert.ok(s.status >= 400 || s.closed.code >= 4400, `${what}: ${s.status} ${s.closed.code}`)
  }
  for (const id of ['../x', 'a\u0000b', 'x'.repeat(4096), '.', '']) {
    const a = await http1('/api/atoms?user=eve', { 'content-type': 'application/json' }, 'POST', JSON.stringify({ id, category: 'C', type: 'T', name: 'n' }))
    assert.equal(a.status, 422)
    assert.ok(JSON.parse(a.text).detail)
  }
})

test('a foreign Origin, a foreign Host: 403, and what to set', async () => {
  for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${server.port + 1}`, `http://127.0.0.1.evil.example:${server.port}`]) {
    assert.equal((await http1('/api/atoms', { origin })).status, 403, origin)
    const s = await open('/yjs/bystanders', { headers: { origin } })
    assert.equal(s.status, 403, origin)
    assert.match(s.text, /ALLOWED_ORIGINS=/)
  }
  assert.equal((await http1('/api/atoms', { host: 'evil.example', origin: 'http://evil.example' })).status, 403)
  assert.equal((await http1('/api/atoms?user=eve', { 'sec-fetch-site': 'cross-site' }, 'POST', '{}')).status, 403)
})

test('half a request from many: the others are served', async () => {
  const half = Array.from({ length: 300 }, () => { const c = net.connect(server.port, '127.0.0.1'); c.on('error', () => {}); c.write('GET /yjs/x HT'); return c })
  await until('all connected', () => half.every((c) => !c.connecting))
  assert.equal((await http1('/health')).status, 200)
  for (const c of half) c.destroy()
})

/** A server of its own over the sample workspace as `change` leaves it. */
const own = async (change, options = {}) => {
  const workspace = mkdtempSync(join(tmpdir(), 'covalent-hostile-'))
  cpSync(join(root, 'examples/lending'), workspace, { recursive: true })
  change(workspace)
  const s = await startServer({ workspace: join(root, 'examples/lending'), ...options })
  await s.stop()
  rmSync(s.workspace, { recursive: true }); rmSync(s.data, { recursive: true, force: true })
  cpSync(workspace, s.workspace, { recursive: true, verbatimSymlinks: true })
  rmSync(workspace, { recursive: true })
  await s.restart()
  return s
}
const count = async (s) => (await until('the index', async () => { const r = await fetch(`${s.url}/api/atoms?limit=1000`); return r.status === 200 && r.json() })).total

test('YAML bombs, torn files, duplicate ids, symlinks: listed, and the rest works', async () => {
  const clean = await own(() => {})
  const n = await count(clean)
  await clean.remove()
  const bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n' + Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`)}]\n`).join('')
  let folder, whole
  const s = await own((w) => {
    const path = readdirSync(join(w, 'atoms'), { recursive: true }).map(String).find((f) => f.endsWith('.yaml'))
    folder = join('atoms', path, '..')
    whole = readFileSync(join(w, 'atoms', path))
    const put = (name, bytes) => writeFileSync(join(w, folder, name), bytes)
    put('zz-bomb.yaml', `id: atom-zz-bomb\n${bomb}`)
    put('zz-deep.yaml', `id: atom-zz-deep\nx: ${'['.repeat(5000)}`)
    put('zz-torn.yaml', `${whole}broken: [`)
    put('zz-same.yaml', whole)
    put('zz-bytes.yaml', Buffer.from([0xff, 0xfe, 0, 1, 2]))
    put('zz-climb.yaml', 'id: ../../../tmp/atom\nname: x\n')
    put('zz-large.yaml', `id: atom-zz-large\nname: ${'x'.repeat(300000)}\n`)
    symlinkSync('/etc/passwd', join(w, folder, 'zz-link.yaml'))
  })
  assert.equal(await count(s), n)
  for (const name of ['bomb', 'deep', 'torn', 'bytes', 'climb', 'large', 'same'])
    assert.ok(s.log().includes(`zz-${name}.yaml`), `zz-${name}.yaml is not in the log:\n${s.log().slice(0, 3000)}`)
  assert.ok(!s.log().includes('root:x:'))
  assert.deepEqual(readFileSync(join(s.workspace, folder, 'zz-same.yaml')), whole)
  await s.remove()
})

const b64 = (v) => Buffer.from(JSON.stringify(v)).toString('base64url')
const jwt = (claims, secret, header = { alg: 'HS256', typ: 'JWT' }) => {
  const text = `${b64(header)}.${b64(claims)}`
  return `${text}.${secret ? createHmac('sha256', secret).update(text).digest('base64url') : ''}`
}
test('forged, expired and alg=none tokens; a viewer writes nothing', async () => {
  const secret = 'a secret of some thirty-two bytes or more', now = Math.floor(Date.now() / 1000)
  const s = await startServer({ workspace: join(root, 'examples/lending'), env: { WS_SECRET_KEY: secret } })
  const claims = { sub: 'ann', user_id: 'ann', role: 'editor', iat: now, exp: now + 600 }
  const good = jwt(claims, secret)
  await until('the index', async () => (await fetch(`${s.url}/api/atoms`, { headers: { authorization: `Bearer ${good}` } })).status === 200)
  const bad = {
    forged: jwt(claims, 'another secret of thirty-two bytes or more'), expired: jwt({ ...claims, exp: now - 600 }, secret),
    none: jwt(claims, '', { alg: 'none', typ: 'JWT' }), 'none, signed': jwt(claims, secret, { alg: 'none' }),
    'HS512 by name': jwt(claims, secret, { alg: 'HS512' }), 'no signature': good.slice(0, good.lastIndexOf('.') + 1),
    noise: 'a.b.c', long: 'x'.repeat(5000), 'not yet': jwt({ ...claims, nbf: now + 3600 }, secret),
  }
  for (const [what, token] of Object.entries(bad)) {
    const a = await fetch(`${s.url}/api/atoms`, { headers: { authorization: `Bearer ${token}` } })
    assert.ok([400, 401, 431].includes(a.status), `${what}: ${a.status}`)
    const w = await open(`/yjs/doc:x?token=${token}`, {}, s.wsUrl)
    assert.ok(w.status >= 400 || w.closed?.code === 4401, `${what}: ${w.status}`)
    assert.ok(!s.log().includes(token), `${what}: the token is in the log`)
  }
  const viewer = jwt({ ...claims, sub: 'vic', user_id: 'vic', role: 'viewer' }, secret)
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'written by a viewer')
  for (const step of [1, 2]) {
    const w = await open(`/yjs/doc:x?token=${viewer}`, {}, s.wsUrl)
    w.ws.send(message(Y.encodeStateAsUpdate(doc), step))
    w.ws.ping()
    await Promise.race([new Promise((done) => w.ws.once('pong', done)), until('a close', () => w.closed)])
    w.ws.terminate()
  }
  const body = JSON.stringify({ id: 'atom-viewer', category: 'C', type: 'T', name: 'n' })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${viewer}` }
  assert.equal((await fetch(`${s.url}/api/atoms`, { method: 'POST', headers, body })).status, 403)
  const reader = new Y.Doc()
  const p = new WebsocketProvider(`${s.wsUrl}/yjs`, 'doc:x', reader, { WebSocketPolyfill: WebSocket, disableBc: true, params: { token: good } })
  await until('sync', () => p.synced)
  assert.equal(reader.getText('t').toString(), '')
  p.destroy(); p.awareness.destroy()
  await s.remove()
})
