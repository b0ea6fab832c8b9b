/**
 * Three people and their flaky lines against a server that crashes: random edits, cuts, offline hours,
 * closed browsers, two tabs on one disk. At every step: whoever reads "saved" has every word on the
 * server's disk. In the end every word is there once, for everybody.
 */
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { CollaborationService } from '../src/services/CollaborationService.js'
import { OfflineStore } from '../src/services/OfflineStore.js'
import type { Room } from '../src/services/Room.js'
import { EDIT } from '../src/services/undo.js'
import { FakeServer } from './fakeServer.js'

const ROOM = 'atom:a'
const SEEDS = Number(process.env['CHAOS_SEEDS'] ?? 8)
const FIRST = Number(process.env['CHAOS_FIRST'] ?? 1)
const STEPS = 150

type Person = { name: string; disk: IDBFactory; service: CollaborationService; room: Room; words: string[] }

const dice = (seed: number) => () => {
  seed = (seed * 48271) % 2147483647
  return (seed - 1) / 2147483646
}

const pass = async (ms: number): Promise<void> => {
  for (let left = ms; left > 0; left -= 50) {
    await vi.advanceTimersByTimeAsync(Math.min(50, left))
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve))
  }
}

const open = (server: FakeServer, name: string, disk: IDBFactory, roll: () => number): Person => {
  const service = new CollaborationService({
    me: { user: name, name, role: 'editor' },
    url: `ws://x/ws/${name}`,
    dice: roll,
    rootsOf: (_, doc) => [doc.getText('t')],
    socket: server.socket,
    store: new OfflineStore(name, disk),
  })
  void service.start()
  return { name, disk, service, room: service.open(ROOM), words: [] }
}

const text = (doc: Y.Doc) => doc.getText('t').toString()

const type = (person: Person, word: string, roll: () => number): void => {
  const shared = person.room.doc.getText('t')
  person.words.push(word)
  person.room.doc.transact(() => shared.insert(Math.floor(roll() * (shared.length + 1)), ''), EDIT)
  // Words go between words, so that each can be found whole again.
  const at = roll() < 0.5 ? 0 : shared.length
  person.room.doc.transact(() => shared.insert(at, `<${word}>`), EDIT)
}

const checkTruth = (server: FakeServer, people: readonly Person[]): void => {
  const disk = text(server.room(ROOM).disk)
  for (const person of people) {
    if (person.room.state.getState().save.kind !== 'saved') continue
    for (const word of person.words) expect(disk, `${person.name} reads "saved"`).toContain(`<${word}>`)
  }
}

const reopen = async (server: FakeServer, person: Person, roll: () => number): Promise<Person> => {
  const stopping = person.service.stop()
  await pass(150)
  await stopping
  const { words } = person
  const next = open(server, person.name, person.disk, roll)
  next.words = words
  return next
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const run = async (seed: number): Promise<void> => {
  const roll = dice(seed * 7919)
  const server = new FakeServer()
  const shared = new IDBFactory()
  let people = [
    open(server, 'anna', shared, roll),
    open(server, 'anna', shared, roll), // her second tab
    open(server, 'bo', new IDBFactory(), roll),
    open(server, 'chen', new IDBFactory(), roll),
  ]
  await pass(300)
  for (let step = 0; step < STEPS; step++) {
    const who = Math.floor(roll() * people.length)
    const what = roll()
    if (what < 0.62) type(people[who]!, `${people[who]!.name}${step}`, roll)
    else if (what < 0.7) server.cut(roll() < 0.5 ? 1006 : 1012)
    else if (what < 0.75) server.crash()
    else if (what < 0.8) server.reachable = !server.reachable
    else if (what < 0.85) server.holdAcks = true
    else if (what < 0.93) server.letAcksGo()
    else people = await Promise.all(people.map((p, i) => (i === who ? reopen(server, p, roll) : p)))
    await pass(Math.floor(roll() * roll() * 2500))
    checkTruth(server, people)
  }
  server.reachable = true
  server.letAcksGo()
  for (const person of people) person.service.online()
  await pass(20_000)
  checkTruth(server, people)
  const end = text(server.room(ROOM).disk)
  for (const person of people) {
    expect(person.room.unsaved).toBe(0)
    expect(text(person.room.doc)).toBe(end)
    for (const word of person.words) expect(end.split(`<${word}>`).length, `${word} once`).toBe(2)
  }
  const stopping = Promise.all(people.map((p) => p.service.stop()))
  await pass(300)
  await stopping
}

for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
  it(`nothing is lost, doubled or called saved too early (CHAOS_FIRST=${seed})`, () => run(seed), 60_000)
}
