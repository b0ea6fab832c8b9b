// Atoms are files: the real binary, a git repository, y-websocket clients, and other programs at the same time.
// GNDP_DIR=/path/to/a/workspace runs the first test on that workspace as well.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { root, startServer, until } from './server.mjs'

const servers = [], folders = [], providers = []
after(async () => {
  for (const p of providers) { p.destroy(); p.awareness.destroy() }
  for (const s of servers) await s.remove()
  for (const f of folders) rmSync(f, { recursive: true, force: true })
})

/** A server on a copy of `source` that is a git repository with everything committed. */
const serve = async (source, change = () => {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'covalent-git-'))
  folders.push(folder)
  cpSync(source, folder, { recursive: true })
  change(folder)
  const run = (...args) => execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args])
  run('init', '-q', '-b', 'main'), run('add', '-A'), run('commit', '-q', '-m', 'start')
  const s = await startServer({ workspace: folder })
  servers.push(s)
  s.git = (...args) => execFileSync('git', ['-C', s.workspace, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]).toString()
  s.get = async (path) => (await fetch(s.url + path)).json()
  s.read = (path) => readFileSync(join(s.workspace, path), 'utf8')
  s.write = (path, text) => writeFileSync(join(s.workspace, path), text)
  return s
}

const open = async (s, room, user = 'ann') => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${s.wsUrl}/yjs`, room, doc, { WebSocketPolyfill: WebSocket, disableBc: true, params: { user } })
  providers.push(provider)
  await until(`${room} in sync`, () => provider.synced)
  const atom = doc.getMap('atom')
  return { doc, provider, atom, text: (key) => atom.get('content').get(key), close: () => { provider.destroy(); provider.awareness.destroy() } }
}

/** Lines taken out and put in, and hunks, of everything that is not as committed. */
const diff = (s) => {
  const lines = s.git('diff', '-U0').split('\n')
  return {
    files: s.git('status', '--porcelain').split('\n').filter(Boolean),
    hunks: lines.filter((l) => l.startsWith('@@')).length,
    out: lines.filter((l) => /^-(?!--)/.test(l)), in: lines.filter((l) => /^\+(?!\+\+)/.test(l)),
  }
}

const rooms = async (s) => {
  const atoms = (await s.get('/api/atoms?limit=1000&summary_only=true')).atoms
  const all = atoms.map((a) => `atom:${a.id}`)
  for (const kind of ['module', 'phase', 'journey', 'workflow'])
    all.push(...(await s.get(`/api/${kind}s`)).map((e) => `${kind}:${e.id}`))
  return { all, path: (id) => atoms.find((a) => a.id === id)._file_path, first: atoms[0] }
}

/** Opens and closes every room, then changes one scalar: that is all git sees. */
const openEverything = async (s) => {
  const { all, first } = await rooms(s)
  assert.ok(all.length > 10)
  for (const room of all) (await open(s, room)).close()
  const c = await open(s, `atom:${first.id}`)
  c.atom.set('owner', 'Nobody Else')
  await until('the write', () => s.read(first._file_path).includes('owner: Nobody Else'))
  await until('what was written over to be looked at', () => !s.git('status', '--porcelain').includes('covalent-out'))
  const d = diff(s)
  assert.deepEqual(d.files, [` M ${first._file_path}`])
  assert.deepEqual([d.hunks, d.out.length, d.in], [1, 1, ['+owner: Nobody Else']])
  c.close()
  return all.length
}

const commented = `# what a person wrote about this atom
id: atom-bo-commented
category: BACK_OFFICE
type: PROCESS
name: Commented   # the name
version: 1.0.0
status: ACTIVE
owner: Ann Old
criticality: HIGH
house_rule: [keep, me]   # nobody knows this key
content:
  summary: "The quick brown fox jumps"
  description: >-
    One sentence here.
    Another sentence there.
  steps:
  # the important one
  - first step
  - second step
edges: []
`
const PATH = 'atoms/processes/atom-bo-commented.yaml'

let s
before(async () => {
  s = await serve(join(root, 'examples/lending'), (folder) => {
    mkdirSync(join(folder, 'atoms/processes'), { recursive: true })
    writeFileSync(join(folder, PATH), commented)
  })
})

test('p1 opening every room and closing it leaves git status clean', async (t) => {
  const own = await serve(join(root, 'examples/lending'))
  t.diagnostic(`${await openEverything(own)} rooms`)
})

test('p1 the same on the workspace in GNDP_DIR', { skip: !process.env.GNDP_DIR }, async (t) => {
  const own = await serve(process.env.GNDP_DIR)
  t.diagnostic(`${await openEverything(own)} rooms`)
})

test('p1 a word is one hunk of its line, a scalar one line; comments and unknown keys stay', async () => {
  const c = await open(s, 'atom:atom-bo-commented')
  c.text('summary').insert(10, 'sly ')
  await until('the word', () => s.read(PATH).includes('The quick sly brown fox jumps'))
  let d = diff(s)
  assert.deepEqual(d.out, ['-  summary: "The quick brown fox jumps"'])
  assert.deepEqual(d.in, ['+  summary: "The quick sly brown fox jumps"'])
  s.git('commit', '-qam', 'word')

  c.atom.set('owner', 'Bob New')
  await until('the scalar', () => s.read(PATH).includes('owner: Bob New'))
  d = diff(s)
  assert.deepEqual([d.out, d.in], [['-owner: Ann Old'], ['+owner: Bob New']])
  s.git('commit', '-qam', 'scalar')

  const description = c.text('description')
  description.insert(description.toString().indexOf('there'), 'over ')
  await until('the sentence', () => s.read(PATH).includes('Another sentence over there.'))
  d = diff(s)
  assert.deepEqual([d.hunks, d.out, d.in], [1, ['-    Another sentence there.'], ['+    Another sentence over there.']])
  s.git('commit', '-qam', 'sentence')
  for (const kept of ['# what a person wrote', '# the name', 'house_rule: [keep, me]   # nobody', '# the important one'])
    assert.ok(s.read(PATH).includes(kept), kept)
  assert.ok(!s.log().includes('workspace.merge'), 'our own writes do not echo')
  c.close()
})

test('f2 a file changed by another program while two people edit loses nothing', async () => {
  const a = await open(s, 'atom:atom-bo-commented', 'ann'), b = await open(s, 'atom:atom-bo-commented', 'bob')
  a.text('summary').insert(0, 'Ann says: ')
  b.text('summary').insert(b.text('summary').length, ' says Bob')
  s.write(PATH, s.read(PATH).replace('first step', 'first short step').replace('criticality: HIGH', 'criticality: LOW'))
  const step = (c) => [...c.atom.get('content').get('steps').values()].some((i) => i.get('text').toString() === 'first short step')
  await until('the step on both screens', () => step(a) && step(b) && a.atom.get('criticality') === 'LOW' && b.atom.get('criticality') === 'LOW')
  await until('both texts', () => /^Ann says: .* says Bob$/.test(a.text('summary').toString()) && a.text('summary').toString() === b.text('summary').toString())
  await until('the file', () => ['Ann says: ', ' says Bob', 'first short step', 'criticality: LOW'].every((part) => s.read(PATH).includes(part)))
  const row = await s.get('/api/atoms/atom-bo-commented')
  assert.equal(row.criticality, 'LOW')
  s.git('commit', '-qam', 'together')
  a.close(), b.close()
})

test('f2 an editor that replaces the file by rename, again and again, while somebody types', async () => {
  const c = await open(s, 'atom:atom-bo-commented')
  const team = 20
  for (let i = 1; i <= team; i++) {
    c.text('description').insert(0, `t${i} `)
    const text = s.read(PATH)
    const next = text.includes('\nteam:') ? text.replace(/\nteam: .*/, `\nteam: T${i}`) : text.replace('\ncriticality:', `\nteam: T${i}\ncriticality:`)
    s.write(`${PATH}.tmp`, next)
    renameSync(join(s.workspace, `${PATH}.tmp`), join(s.workspace, PATH))
    await until(`team T${i}`, () => c.atom.get('team') === `T${i}`)
  }
  await until('every word in the file', () => Array.from({ length: team }, (_, i) => `t${i + 1} `).every((w) => c.text('description').toString().includes(w))
    && s.read(PATH).includes('t20 ') && s.read(PATH).includes(`team: T${team}`))
  s.git('commit', '-qam', 'typing')
  c.close()
})

test('f2 a branch switch is a set of outside edits', async () => {
  const c = await open(s, 'atom:atom-bo-commented')
  const name = c.atom.get('name').toString()
  s.git('checkout', '-q', '-b', 'other')
  s.write(PATH, s.read(PATH).replace(`name: ${name}`, 'name: Other branch'))
  s.git('commit', '-qam', 'other')
  await until('the other name', () => c.atom.get('name').toString() === 'Other branch')
  s.git('checkout', '-q', 'main')
  await until('the first name again', () => c.atom.get('name').toString() === name)
  await until('a clean tree', () => diff(s).files.length === 0)
  c.close()
})

test('f2 a deleted file is a tombstone, and comes back', async () => {
  renameSync(join(s.workspace, PATH), join(s.dir, 'aside'))
  await until('404', async () => (await fetch(`${s.url}/api/atoms/atom-bo-commented`)).status === 404)
  assert.match((await s.get('/api/atoms/atom-bo-commented')).detail, /was deleted by file at \d{4}-/)
  renameSync(join(s.dir, 'aside'), join(s.workspace, PATH))
  await until('200', async () => (await fetch(`${s.url}/api/atoms/atom-bo-commented`)).status === 200)
})

test('d5 a file that does not parse is listed with its line, and the rest works', async () => {
  const before = s.read(PATH)
  s.write(PATH, before.replace('content:', 'content: [\n'))
  s.write('atoms/processes/atom-bo-torn.yaml', 'id: atom-bo-torn\nname: "half')
  const find = (list, path) => list.problems.find((p) => p.path === path)
  await until('both problems', async () => { const l = await s.get('/api/problems'); return find(l, PATH)?.line > 0 && find(l, 'atoms/processes/atom-bo-torn.yaml')?.line > 0 })
  assert.equal((await fetch(`${s.url}/api/atoms/atom-bo-commented`)).status, 200)
  s.write(PATH, before)
  s.write('atoms/processes/atom-bo-torn.yaml', 'id: atom-bo-torn\nname: whole\n')
  await until('no problems', async () => (await s.get('/api/problems')).total === 0)
  assert.equal((await s.get('/api/atoms/atom-bo-torn')).name, 'whole')
})

test('p1 what was acknowledged is in the file after a kill, and what changed meanwhile is merged', async () => {
  const c = await open(s, 'atom:atom-bo-commented')
  const atom = (await s.get('/api/atoms/atom-bo-commented'))
  c.text('summary').insert(0, 'Durable. ')
  await until('the row', async () => (await s.get('/api/atoms/atom-bo-commented')).summary.startsWith('Durable. '))
  assert.ok(!s.read(PATH).includes('Durable. '))          // 500 ms have not passed
  c.close()
  await s.kill9()
  s.write(PATH, s.read(PATH).replace(`owner: ${atom.owner}`, 'owner: While Down'))
  await s.restart()
  await until('both in the file', () => s.read(PATH).includes('Durable. ') && s.read(PATH).includes('owner: While Down'))
  const d = await open(s, 'atom:atom-bo-commented')
  await until('both on the screen', () => d.text('summary').toString().startsWith('Durable. ') && d.atom.get('owner') === 'While Down')
  d.close()
  assert.ok(existsSync(join(s.workspace, PATH)))
})
