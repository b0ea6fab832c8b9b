import { Command } from 'cmdk'
import { useMemo, useState } from 'react'
import { useLocation } from 'wouter'
import { useAtoms, useModules, usePhases, useJourneys, useWorkflows } from '../hooks/useWorkspace.js'
import { rank } from '../services/explorer.js'
import { panels, setPanel, setTheme } from '../services/uiState.js'
import { Dialog } from './ui/Dialog.js'
import { Kbd } from './ui/Kbd.js'
import { TypeMark } from './ui/TypeMark.js'
import './palette.css'

const SHOWN = 30

type Entry = { key: string; kind: string; id: string; name: string; type?: string }

/** Everything by name, and every command with its key. */
export default function CommandPalette({ canCreate }: { canCreate: boolean }) {
  const [, navigate] = useLocation()
  const [words, setWords] = useState('')
  const atoms = useAtoms().data,
    modules = useModules().data,
    phases = usePhases().data,
    journeys = useJourneys().data,
    workflows = useWorkflows().data
  const close = () => setPanel('palette', false)
  const run = (act: () => void) => () => {
    close()
    act()
  }

  const entries = useMemo<Entry[]>(
    () => [
      ...(atoms ?? []).map((a) => ({ key: `atom ${a.id}`, kind: 'atom', id: a.id, name: a.name, type: a.type })),
      ...(modules ?? []).map((m) => ({ key: `module ${m.id}`, kind: 'module', id: m.id, name: m.name })),
      ...(phases ?? []).map((p) => ({ key: `phase ${p.id}`, kind: 'phase', id: p.id, name: p.name })),
      ...(journeys ?? []).map((j) => ({ key: `journey ${j.id}`, kind: 'journey', id: j.id, name: j.name })),
      ...(workflows ?? []).map((w) => ({ key: `workflow ${w.id}`, kind: 'workflow', id: w.id, name: w.name })),
    ],
    [atoms, modules, phases, journeys, workflows],
  )

  const needles = words.toLowerCase().split(/\s+/).filter(Boolean)
  const found =
    needles.length === 0
      ? []
      : entries
          .filter((e) => needles.every((n) => `${e.name} ${e.id}`.toLowerCase().includes(n)))
          .sort((a, b) => rank(a, needles) - rank(b, needles) || (a.name < b.name ? -1 : 1))
          .slice(0, SHOWN)
  const commands = [
    { name: 'Go to the explorer', keys: 'G then E', act: () => navigate('/') },
    ...(canCreate ? [{ name: 'New atom', keys: 'N', act: () => setPanel('create', true) }] : []),
    { name: 'Show or hide the workspace tree', keys: '[', act: () => setPanel('tree', !panels.getState().tree) },
    { name: 'Show or hide the side panel', keys: ']', act: () => setPanel('side', !panels.getState().side) },
    { name: 'Theme: light', keys: '', act: () => setTheme('light') },
    { name: 'Theme: dark', keys: '', act: () => setTheme('dark') },
    { name: 'Theme: like the system', keys: '', act: () => setTheme('system') },
    { name: 'Keyboard shortcuts', keys: '?', act: () => setPanel('shortcuts', true) },
  ].filter((c) => needles.every((n) => c.name.toLowerCase().includes(n)))

  return (
    <Dialog open onClose={close} title="Search or run a command" className="palette">
      <Command shouldFilter={false} label="Search or run a command" loop>
        <Command.Input autoFocus value={words} onValueChange={setWords} placeholder="Search atoms, modules, commands" />
        <Command.List label="Results">
          <Command.Empty className="muted palette-none">Nothing fits.</Command.Empty>
          {found.length > 0 && (
            <Command.Group heading="Go to">
              {found.map((e) => (
                <Command.Item
                  key={e.key}
                  value={e.key}
                  onSelect={run(() => navigate(`/${e.kind}/${encodeURIComponent(e.id)}`))}
                  className="menu-item"
                >
                  {e.type ? <TypeMark type={e.type} /> : <i className="mark-space" />}
                  <span className="truncate">{e.name}</span>
                  <span className="muted palette-kind">{e.kind === 'atom' ? e.id : e.kind}</span>
                </Command.Item>
              ))}
            </Command.Group>
          )}
          {commands.length > 0 && (
            <Command.Group heading="Commands">
              {commands.map((c) => (
                <Command.Item key={c.name} value={c.name} onSelect={run(c.act)} className="menu-item">
                  {c.name}
                  {c.keys && <Kbd keys={c.keys} />}
                </Command.Item>
              ))}
            </Command.Group>
          )}
        </Command.List>
      </Command>
    </Dialog>
  )
}
