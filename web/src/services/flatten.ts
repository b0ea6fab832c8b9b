/** A document as paths and texts, to show what of it would be lost. */
import * as Y from 'yjs'
import type { AnyType } from './ytypes.js'

const walk = (value: unknown, path: string, out: Map<string, string>): void => {
  if (value instanceof Y.Text) out.set(path, value.toString())
  else if (value instanceof Y.Map) for (const [key, child] of value) walk(child, path ? `${path}.${key}` : key, out)
  else if (value instanceof Y.Array) value.forEach((child: unknown, i) => walk(child, `${path}.${i}`, out))
  else if (value !== null && value !== undefined)
    out.set(path, typeof value === 'string' ? value : JSON.stringify(value))
}

export const flatten = (roots: readonly AnyType[]): Map<string, string> => {
  const out = new Map<string, string>()
  for (const root of roots) walk(root, '', out)
  return out
}

export const diffValues = (
  mine: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
): { path: string; mine: string; theirs: string }[] =>
  [...mine]
    .filter(([path, value]) => theirs.get(path) !== value && !path.endsWith('.order'))
    .map(([path, value]) => ({ path, mine: value, theirs: theirs.get(path) ?? '' }))
