// books.mjs -- the judge: what clients sent, had acknowledged and saw, against what is there after the crash.

export class Books {
  constructor(rooms) { this.rooms = new Map(rooms.map((name) => [name, { sent: new Set(), acked: new Set(), shown: new Set() }])) }

  /** Takes over what a client knows. Call after its socket is gone. */
  close(client) {
    for (const [name, room] of client.rooms) {
      const all = this.rooms.get(name)
      for (const what of ['sent', 'acked', 'shown']) room[what].forEach((x) => all[what].add(x))
    }
  }

  judge(found) {
    const sum = { sent: 0, acked: 0, shown: 0, present: 0, lost: [], takenBack: [], neverSent: [], twice: [] }
    for (const [name, room] of this.rooms) {
      const list = found.get(name), present = new Set(list)
      for (const what of ['sent', 'acked', 'shown']) sum[what] += room[what].size
      sum.present += present.size
      sum.lost.push(...[...room.acked].filter((x) => !present.has(x)))
      sum.takenBack.push(...[...room.shown].filter((x) => !present.has(x)))
      sum.neverSent.push(...[...present].filter((x) => !room.sent.has(x)))
      if (list.length !== present.size) sum.twice.push(...list.filter((x, i) => list.indexOf(x) !== i))
    }
    return sum
  }
}
