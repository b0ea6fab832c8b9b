/**
 * Is the person here? Active: input in the last two minutes. Idle: none, or the tab hidden for half
 * a minute. Away: ten minutes. Driven by the page's events and by a clock that is looked at, not set.
 */
import type { Status } from '../protocol/messages.js'

const IDLE_MS = 2 * 60_000
const HIDDEN_IDLE_MS = 30_000
const AWAY_MS = 10 * 60_000

export class Activity {
  lastInput: number
  private hiddenSince = 0

  constructor(nowMs: number) {
    this.lastInput = nowMs
  }

  input(nowMs: number): void {
    this.lastInput = nowMs
    this.hiddenSince = 0
  }

  hidden(nowMs: number): void {
    this.hiddenSince = nowMs
  }

  shown(nowMs: number): void {
    this.input(nowMs)
  }

  status(nowMs: number): Status {
    const quiet = nowMs - this.lastInput
    if (quiet >= AWAY_MS) return 'away'
    if (quiet >= IDLE_MS || (this.hiddenSince > 0 && nowMs - this.hiddenSince >= HIDDEN_IDLE_MS)) return 'idle'
    return 'active'
  }

  /** How long the tab has been out of sight; 0 when it is visible. */
  hiddenMs(nowMs: number): number {
    return this.hiddenSince > 0 ? nowMs - this.hiddenSince : 0
  }
}
