/** Where to listen, as flags say it: `HOST:PORT`, `[IPv6]:PORT` or `:PORT` for this machine; undefined for anything else. */
export function listenPlace(text: string): { readonly host: string; readonly port: number } | undefined {
  const found = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  if (!found || Number(found[3]) > 65_535) return undefined
  return { host: found[1] ?? (found[2] || '127.0.0.1'), port: Number(found[3]) }
}
