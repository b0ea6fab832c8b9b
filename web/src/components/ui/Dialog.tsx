import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'

type Props = {
  open: boolean
  onClose: () => void
  title: string
  description?: string
  children: ReactNode
  className?: string
  required?: boolean
  icon?: ReactNode
}

/** A dialog that holds the focus and gives it back. `required`: cannot be waved away. */
export const Dialog = ({
  open,
  onClose,
  title,
  description,
  children,
  className = '',
  required = false,
  icon,
}: Props) => (
  <Radix.Root
    open={open}
    onOpenChange={(next) => {
      if (!next && !required) onClose()
    }}
  >
    <Radix.Portal>
      <Radix.Overlay className="overlay" />
      <Radix.Content className={`dialog ${className}`} {...(description ? {} : { 'aria-describedby': undefined })}>
        {icon}
        <Radix.Title asChild>
          <h2>{title}</h2>
        </Radix.Title>
        {description && <Radix.Description className="muted">{description}</Radix.Description>}
        {children}
      </Radix.Content>
    </Radix.Portal>
  </Radix.Root>
)
