const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** A key combination as it is called on this machine: `Mod K` is Ctrl K or ⌘ K. */
export const keyName = (keys: string): string =>
  isMac ? keys.replace('Mod', '⌘').replace('Alt', '⌥').replace('Shift', '⇧') : keys.replace('Mod', 'Ctrl')

export const Kbd = ({ keys }: { keys: string }) => <kbd>{keyName(keys)}</kbd>
