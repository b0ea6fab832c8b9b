import { Menu as MenuIcon, Monitor, Moon, PanelLeft, Search, Sun } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { Link } from 'wouter'
import { useStore } from 'zustand'
import { useIdentity } from '../hooks/useIdentity.js'
import { useOwnColour } from '../hooks/usePersonName.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { panels, place, setPanel, setTheme, theme, type Theme } from '../services/uiState.js'
import { PresenceIndicator } from './PresenceIndicator.js'
import { Avatar } from './ui/Avatar.js'
import { Logo } from './ui/Logo.js'
import { Kbd } from './ui/Kbd.js'

const THEMES: readonly { value: Theme; label: string; icon: typeof Sun }[] = [
  { value: 'system', label: 'Like the system', icon: Monitor },
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
]

export const TopBar = () => {
  const { room, crumbs } = useStore(place)
  const { drawer } = useStore(panels)
  return (
    <header className="top-bar">
      <button
        type="button"
        className="button icon quiet only-narrow"
        aria-label="Open the workspace tree"
        aria-expanded={drawer}
        onClick={() => setPanel('drawer', !drawer)}
      >
        <MenuIcon size={16} aria-hidden="true" />
      </button>
      <button
        type="button"
        className="button icon quiet only-wide"
        aria-label="Show or hide the workspace tree"
        title="["
        onClick={() => setPanel('tree', !panels.getState().tree)}
      >
        <PanelLeft size={16} aria-hidden="true" />
      </button>
      <Link href="/" className="home" aria-label="Covalent, home">
        <Logo />
      </Link>
      <nav className="crumbs" aria-label="Where you are">
        <ol>
          {crumbs.map((c, i) => (
            <li key={`${i} ${c.label}`}>
              {c.href ? (
                <Link href={c.href} className="truncate">
                  {c.label}
                </Link>
              ) : (
                <span className="truncate" aria-current="page">
                  {c.label}
                </span>
              )}
            </li>
          ))}
        </ol>
      </nav>
      <button type="button" className="search-button" onClick={() => setPanel('palette', true)}>
        <Search size={14} aria-hidden="true" />
        <span>Search or run a command</span>
        <Kbd keys="Mod K" />
      </button>
      {room && <PresenceIndicator roomName={room} />}
      <OwnMenu />
    </header>
  )
}

const OwnMenu = () => {
  const { me } = useWebSocket()
  const current = useStore(theme)
  const mode = useIdentity().data?.mode
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="own-menu" aria-label={`You: ${me.name}. Theme and help`}>
        <Avatar name={me.name} colour={useOwnColour()} size="small" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={document.querySelector<HTMLElement>('.top-bar')}>
        <DropdownMenu.Content className="popover" align="end" sideOffset={6} collisionPadding={8}>
          <DropdownMenu.Label className="menu-title">
            {me.name}
            {me.role && `, ${me.role}`}
          </DropdownMenu.Label>
          <div className="menu-line" role="separator" />
          <DropdownMenu.RadioGroup value={current} onValueChange={(value) => setTheme(value as Theme)}>
            {THEMES.map(({ value, label, icon: Icon }) => (
              <DropdownMenu.RadioItem key={value} value={value} className="menu-item">
                <Icon size={14} aria-hidden="true" />
                {label}
                <DropdownMenu.ItemIndicator className="checked">✓</DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <div className="menu-line" role="separator" />
          {mode === 'open' && (
            <DropdownMenu.Item className="menu-item" onSelect={() => setPanel('rename', true)}>
              Change your name
            </DropdownMenu.Item>
          )}
          <DropdownMenu.Item className="menu-item" onSelect={() => setPanel('shortcuts', true)}>
            Keyboard shortcuts
            <Kbd keys="?" />
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
