/** Grey lines in the shape of what is coming. */
export const Skeleton = ({ width, height = 14 }: { width: number | string; height?: number }) => (
  <span className="skeleton" style={{ display: 'block', width, maxWidth: '100%', height }} aria-hidden="true" />
)
