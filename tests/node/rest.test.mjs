// The REST API against the real binary: shapes, errors, ETag, gzip, HEAD, reading one's own writes.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { startServer, until } from './server.mjs'

const atom = (n, more = '') => `id: atom-bo-${n}
category: BACK_OFFICE
type: ${n % 2 ? 'PROCESS' : 'ROLE'}
name: Atom ${n}
version: 1.0.0
status: ACTIVE
owner: Ann
team: Blue
ontologyDomain: Home Lending
criticality: HIGH
phaseId: phase-one
moduleId: module-one
content:
  summary: Summary ${n}
  description: ${'A description that is long enough to be compressed. '.repeat(4).trim()}
edges:${more || ' []'}
metrics:
  error_rate: 0.3
`
const files = {
  'atoms/p/a1.yaml': atom(1, '\n- type: ENABLES\n  targetId: atom-bo-2\n  label: then\n- type: ENABLES\n  targetId: atom-nowhere'),
  'atoms/p/a2.yaml': atom(2), 'atoms/p/a3.yaml': atom(3),
  'modules/m.yaml': 'id: x\nmodule_id: module-one\nname: One\nmetadata:\n  owner: Team\n  created: 2025-12-18\natom_ids:\n- atom-bo-1\n- atom-bo-2\natoms:\n- atom-old\n',
  'phases/b.yaml': 'id: phase-two\nname: Two\ndescription: D\nmodules: []\njourneyId: journey-one\ntargetDurationDays: 4\nsequence: 2\n',
  'phases/a.yaml': 'id: phase-one\nname: One\ndescription: D\nmodules:\n- module-one\njourneyId: journey-one\ntargetDurationDays: 3\n',
  'journeys/j.yaml': 'id: journey-one\nname: J\ndescription: D\nowner: Boss\nphases:\n- phase-one\n- phase-two\n',
  'workflows/w.json': '{\n    "id": "flow",\n    "name": "Flow",\n    "steps": []\n}',
}

let s, folder
const providers = []
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'covalent-rest-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  s = await startServer({ workspace: folder })
})
after(async () => {
  for (const p of providers) { p.destroy(); p.awareness.destroy() }
  await s.remove()
  rmSync(folder, { recursive: true, force: true })
})

const call = async (path, options) => {
  const r = await fetch(s.url + path, options)
  const text = await r.text()
  return { status: r.status, headers: r.headers, text, body: text && r.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined }
}
const post = (body, user = 'ann') => call(`/api/atoms?user=${user}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) })

const reads = [
  ['/api/atoms', (b) => b.atoms.length === 3 && b.total === 3 && b.limit === 100 && b.offset === 0 && b.has_more === false],
  ['/api/atoms?limit=1&offset=1', (b) => b.atoms[0].id === 'atom-bo-2' && b.total === 3 && b.has_more === true],
  ['/api/atoms?limit=5000', (b) => b.limit === 1000],
  ['/api/atoms?offset=99', (b) => b.atoms.length === 0 && b.has_more === false],
  ['/api/atoms?type_filter=process', (b) => b.total === 2 && b.atoms.every((a) => a.type === 'PROCESS')],
  ['/api/atoms?type_filter=none', (b) => b.total === 0],
  ['/api/atoms?summary_only=true', (b) => ['id', 'type', 'title', 'summary', 'owner', 'status', 'category', 'moduleId', 'phaseId', '_file_path', '_rev'].every((k) => k in b.atoms[0]) && !('content' in b.atoms[0])],
  ['/api/atoms/atom-bo-1', (b) => b.atom_id === 'atom-bo-1' && b.summary === 'Summary 1' && b.metrics.error_rate === 0.3 && b._file_path === 'atoms/p/a1.yaml' && b._rev.length === 64],
  ['/api/modules', (b) => Array.isArray(b) && b.length === 1 && b[0].id === 'module-one'],
  ['/api/modules/module-one', (b) => b.owner === 'Team' && b.atoms.join() === 'atom-bo-1,atom-bo-2' && b._raw.metadata.created === '2025-12-18' && b._raw.atoms[0] === 'atom-old' && b.phaseId === null && b.description === null],
  ['/api/phases', (b) => b.length === 2 && ['sequence', 'entry_criteria', 'exit_criteria', 'sla_hours'].every((k) => k in b[0])],
  ['/api/phases/phase-one', (b) => b.sequence === null && b.targetDurationDays === 3],
  ['/api/phases/stats', (b) => b.total_phases === 2 && b.total_journeys === 1 && b.total_modules_in_phases === 1 && b.avg_phase_duration_days === 3.5 && b.phases_by_journey['journey-one'] === 2],
  ['/api/journeys', (b) => b[0].owner === 'Boss' && b[0].journey_type === null && b[0].target_duration_days === null],
  ['/api/journeys/journey-one', (b) => b.phases.length === 2],
  ['/api/journeys/journey-one/phases', (b) => b.map((p) => p.id).join() === 'phase-two,phase-one'],
  ['/api/workflows', (b) => b[0].id === 'flow'],
  ['/api/workflows/flow', (b) => b._file_path === 'workflows/w.json'],
  ['/api/graph/full', (b) => b.nodes.length === 3 && b.edges.length === 1 && b.edges[0].source === 'atom-bo-1' && b.edges[0].target === 'atom-bo-2' && b.edges[0].properties.label === 'then' && b.nodes[0].team === 'Blue'],
  ['/api/graph/full.json', (b) => b.nodes.length === 3],
  ['/api/graph/type/RoLe', (b) => b.nodes.length === 1 && Object.keys(b.nodes[0]).join() === 'id,type,label'],
  ['/api/graph/module/module-one', (b) => b.nodes.length === 2 && b.edges.length === 1],
  ['/api/problems', (b) => Array.isArray(b.problems) && b.total === 0],
]

test('every read: shape, ETag and 304, gzip, HEAD', async () => {
  for (const [path, good] of reads) {
    const r = await call(path, { headers: { 'accept-encoding': 'identity' } })
    assert.equal(r.status, 200, path)
    assert.ok(good(r.body), `${path}: ${r.text.slice(0, 400)}`)
    const etag = r.headers.get('etag')
    assert.match(etag, /^"[0-9a-f]{32}"$/, path)
    const same = await call(path, { headers: { 'if-none-match': etag } })
    assert.deepEqual([same.status, same.text], [304, ''], path)
    const other = await call(path, { headers: { 'if-none-match': '"no"' } })
    assert.equal(other.status, 200, path)
    const head = await call(path, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } })
    assert.deepEqual([head.status, head.text, head.headers.get('content-length')], [200, '', String(Buffer.byteLength(r.text))], path)
    const packed = await call(path, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(packed.headers.get('content-encoding'), r.text.length >= 1024 ? 'gzip' : null, path)
    assert.equal(packed.text, r.text, path)
  }
})

test('what is not there, and what is not a question', async () => {
  const wrong = [
    ['/api/atoms/none', 404, "Atom 'none' not found"], ['/api/modules/none', 404, "Module 'none' not found"],
    ['/api/phases/none', 404, "Phase 'none' not found"], ['/api/journeys/none', 404, "Journey 'none' not found"],
    ['/api/journeys/none/phases', 404, "Journey 'none' not found"], ['/api/workflows/none', 404, "Workflow 'none' not found"],
    ['/api/graph/module/none', 404, "Module 'none' not found"], ['/api/graph/type/none', 404, "No atoms of type 'none'"],
    [`/api/atoms/${'x'.repeat(1000)}`, 404], ['/api/atoms/..%2F..%2Fetc', 404], ['/api/nothing', 404],
  ]
  for (const [path, status, detail] of wrong) {
    const r = await call(path)
    assert.equal(r.status, status, path)
    if (detail) assert.equal(r.body.detail, detail)
  }
  for (const query of ['limit=x', 'limit=-1', 'offset=1e3', 'summary_only=maybe', `limit=${'9'.repeat(60)}`]) {
    const r = await call(`/api/atoms?${query}`)
    assert.deepEqual([r.status, r.body.detail[0].loc], [422, ['query', query.split('=')[0]]], query)
  }
})

test('/health says how it is', async () => {
  const { status, body } = await call('/health')
  assert.equal(status, 200)
  assert.deepEqual([body.status, body.read_only, body.disk, body.index, body.complete, body.problems], ['ok', false, 'ok', 'ok', true, 0])
  assert.equal((await call('/health', { method: 'HEAD' })).status, 200)
})

test('POST: what is refused', async () => {
  const good = { id: 'atom-bo-new', category: 'back_office', type: 'process', name: 'New' }
  const cases = [
    [{}, 'id'], [{ ...good, id: 7 }, 'id'], [{ ...good, id: '../x' }, 'id'], [{ ...good, id: 'a..b' }, 'id'], [{ ...good, id: 'x'.repeat(4096) }, 'id'],
    [{ ...good, id: 'a\u0001' }, 'id'], [{ ...good, category: '../../pwned' }, 'category'], [{ ...good, type: '' }, 'type'], [{ ...good, name: null }, 'name'],
    [{ ...good, name: '' }, 'name'], [{ ...good, owner: 5 }, 'owner'], [{ ...good, content: [] }, 'content'], [{ ...good, content: { steps: [1] } }, 'content'],
    [{ ...good, edges: [{ type: 'ENABLES' }] }, 'edges'], [{ ...good, metrics: { a: 'b' } }, 'metrics'],
    ['{"id": "a"', undefined], ['[]', undefined], ['{"id":"a","id":"b"}', undefined], ['['.repeat(100), undefined],
  ]
  for (const [body, field] of cases) {
    const r = await post(body)
    assert.equal(r.status, 422, JSON.stringify(body).slice(0, 80))
    assert.ok(r.body.detail.some((d) => d.loc[0] === 'body' && d.loc[1] === field && d.msg && d.type), r.text)
  }
  assert.equal((await post({ ...good, content: { summary: 'x'.repeat(300000) } })).status, 422)
  assert.ok([413, 422].includes((await post({ ...good, name: 'x'.repeat(2_000_000) })).status))
  const twice = await post({ ...good, id: 'atom-bo-1' })
  assert.deepEqual([twice.status, twice.body.detail], [400, "Atom with ID 'atom-bo-1' already exists"])
  assert.equal((await call('/api/atoms', { method: 'PUT', body: '{}' })).status, 405)
  assert.equal((await call('/api/atoms')).body.total, 3)
})

test('POST, read, edit, DELETE, POST again', async () => {
  const sent = { id: 'atom-bo-new', category: 'back_office', type: 'process', name: 'New: "one"', steward: 'kept', content: { summary: 'Hello — you', steps: ['a', 'b'] },
    edges: [{ type: 'ENABLES', targetId: 'atom-bo-1' }], metrics: { error_rate: 0.1 } }
  const made = await post(sent)
  assert.equal(made.status, 200)
  assert.deepEqual(Object.keys(made.body).slice(0, 15), ['id', 'category', 'type', 'name', 'version', 'status', 'owner', 'team', 'ontologyDomain', 'criticality', 'phaseId', 'moduleId', 'content', 'edges', 'metrics'])
  assert.deepEqual([made.body.category, made.body.type, made.body.status, made.body.version, made.body.criticality, made.body.steward], ['BACK_OFFICE', 'PROCESS', 'DRAFT', '1.0.0', 'MEDIUM', 'kept'])
  assert.equal(made.body._file_path, 'atoms/back_office/atom-bo-new.yaml')
  const got = await call('/api/atoms/atom-bo-new?user=ann')       // P3: at once
  assert.equal(got.status, 200)
  assert.deepEqual([got.body.name, got.body._rev, got.body.content.steps], ['New: "one"', made.body._rev, ['a', 'b']])
  assert.equal((await post(sent)).status, 400)
  const file = join(s.workspace, made.body._file_path)
  await until('the file', () => existsSync(file) && readFileSync(file, 'utf8').includes('summary: Hello — you'))
  await until('the list', async () => (await call('/api/atoms')).body.total === 4)

  const provider = new WebsocketProvider(`${s.wsUrl}/yjs`, 'atom:atom-bo-new', new Y.Doc(), { WebSocketPolyfill: WebSocket, disableBc: true, params: { user: 'bob' } })
  providers.push(provider)
  let code = 0
  provider.on('connection-close', (event) => { code = event?.code ?? code })
  await until('sync', () => provider.synced)
  provider.doc.getMap('atom').set('owner', 'Bob')
  await until('the owner in REST', async () => (await call('/api/atoms/atom-bo-new?user=bob')).body.owner === 'Bob')

  const gone = await call('/api/atoms/atom-bo-new?user=ann', { method: 'DELETE' })
  assert.deepEqual([gone.status, gone.body], [200, { status: 'success', message: "Atom 'atom-bo-new' deleted" }])
  await until('the member to be told', () => code === 4404)
  const after = await call('/api/atoms/atom-bo-new?user=ann')
  assert.equal(after.status, 404)
  assert.match(after.body.detail, /was deleted by ann at/)
  await until('the file to go', () => !existsSync(file))
  assert.equal((await call('/api/atoms/atom-bo-new?user=ann', { method: 'DELETE' })).status, 404)
  assert.equal((await call('/api/atoms/none', { method: 'DELETE' })).status, 404)

  const again = await post({ ...sent, name: 'Second life' })
  assert.equal(again.status, 200)
  assert.equal((await call('/api/atoms/atom-bo-new?user=ann')).body.name, 'Second life')
  await until('the file again', () => existsSync(file) && readFileSync(file, 'utf8').includes('Second life'))
})

test('DELETE of an atom nobody ever opened removes its file', async () => {
  assert.equal((await call('/api/atoms/atom-bo-3?user=ann', { method: 'DELETE' })).status, 200)
  await until('the file to go', () => !existsSync(join(s.workspace, 'atoms/p/a3.yaml')))
  assert.equal((await call('/api/atoms/atom-bo-3?user=ann')).status, 404)
})

test('two at once with one id: one of them', async () => {
  const both = await Promise.all([1, 2, 3].map((n) => post({ id: 'atom-bo-race', category: 'SYSTEM', type: 'API', name: `Race ${n}` }, `u${n}`)))
  assert.deepEqual(both.map((r) => r.status).sort(), [200, 400, 400])
})

test('roles: a viewer reads, only an editor writes', async () => {
  const { execFileSync } = await import('node:child_process')
  const { root } = await import('./server.mjs')
  const env = { WS_SECRET_KEY: 'a secret of more than thirty-two characters' }
  const own = await startServer({ workspace: folder, env })
  const token = (role) => execFileSync(join(root, 'build/covalent'), ['token', '--user', 'u', '--role', role], { env: { ...process.env, ...env } }).toString().match(/eyJ[\w.-]+/)[0]
  const as = (role, path, options = {}) => fetch(own.url + path, { ...options, headers: { authorization: `Bearer ${token(role)}`, 'content-type': 'application/json' } }).then((r) => r.status)
  const body = JSON.stringify({ id: 'atom-bo-role', category: 'SYSTEM', type: 'API', name: 'R' })
  try {
    assert.equal(await as('viewer', '/api/atoms'), 200)
    assert.equal(await as('viewer', '/api/atoms', { method: 'POST', body }), 403)
    assert.equal(await as('viewer', '/api/atoms/atom-bo-1', { method: 'DELETE' }), 403)
    assert.equal(await as('editor', '/api/atoms', { method: 'POST', body }), 200)
    assert.equal((await fetch(`${own.url}/api/atoms`)).status, 401)
    assert.equal((await fetch(`${own.url}/health`)).status, 200)
  } finally { await own.remove() }
})

test('p3 one person, one after the other: created, deleted, created again, never refused', async () => {
  const s = await startServer()
  try {
    const body = JSON.stringify({ id: 'atom-bo-again', category: 'BACK_OFFICE', type: 'PROCESS', name: 'Again' })
    const call = (method, path) => fetch(`${s.url}${path}?user=anna`, { method, ...(method === 'POST' ? { body, headers: { 'Content-Type': 'application/json' } } : {}) })
    for (let i = 0; i < 15; i++) {
      for (const [method, path] of [['POST', '/api/atoms'], ['DELETE', '/api/atoms/atom-bo-again']]) {
        const answer = await call(method, path)
        assert.equal(answer.status, 200, `round ${i}: ${method} ${await answer.text()}`)
      }
    }
  } finally { await s.remove() }
})

test('r2 created and deleted by many at once: nobody who creates is told it was not found', async () => {
  const s = await startServer()
  try {
    const body = JSON.stringify({ id: 'atom-bo-race', category: 'BACK_OFFICE', type: 'PROCESS', name: 'Race' })
    const call = (method, path) => fetch(`${s.url}${path}`, { method, ...(method === 'POST' ? { body, headers: { 'Content-Type': 'application/json' } } : {}) })
    const create = () => call('POST', '/api/atoms'), remove = () => call('DELETE', '/api/atoms/atom-bo-race')
    for (let i = 0; i < 8; i++) {
      const answers = await Promise.all([create(), remove(), create(), remove(), create()])
      for (const k of [0, 2, 4]) assert.notEqual(answers[k].status, 404, `round ${i}: ${await answers[k].text()}`)
    }
  } finally { await s.remove() }
})
