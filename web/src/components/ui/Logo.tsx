export const Logo = () => (
  <svg className="logo" width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="9" />
    <circle cx="12" cy="16" r="6.2" />
    <circle cx="20" cy="16" r="6.2" />
  </svg>
)
