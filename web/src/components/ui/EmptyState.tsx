import type { ReactNode } from 'react'

/** One sentence that states the fact, then the way out. */
export const EmptyState = ({
  title,
  children,
  actions,
}: {
  title: string
  children?: ReactNode
  actions?: ReactNode
}) => (
  <div className="empty">
    <h1>{title}</h1>
    {children && <p>{children}</p>}
    {actions && <div className="actions">{actions}</div>}
  </div>
)
