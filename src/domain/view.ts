/** How what the gateway sees differs from what another process of the same user sees. Plain data, no secrets. */

/** Which side alone has something. */
export type Side = 'gateway' | 'own'

export type ViewDifference =
  | { readonly what: 'version'; readonly gateway: string; readonly own: string }
  | { readonly what: 'config'; readonly gateway: string; readonly own: string }
  /** `provider/model`. */
  | { readonly what: 'model'; readonly gateway: string; readonly own: string }
  /** `both`: with different values. */
  | { readonly what: 'variable'; readonly name: string; readonly side: Side | 'both' }
  | { readonly what: 'profile'; readonly profile: string; readonly side: Side }

/** What is compared of a credential. */
export interface SeenCredential {
  readonly profile: string
  readonly fingerprint: string
  readonly source: { readonly kind: string; readonly variable?: string }
}

/** What is compared of a report. */
export interface SeenReport {
  readonly model?: string
  readonly configPath?: string
  readonly credentials: readonly SeenCredential[]
}

/**
 * Where two views of one state folder differ in a way that changes who serves.
 *
 * @param ownVariables of this process, each with the fingerprint of its value
 */
export function viewDifferences(
  own: SeenReport,
  gateway: SeenReport,
  ownVariables: ReadonlyMap<string, string>,
): readonly ViewDifference[] {
  // A report may be about one provider alone; of the others nothing is said.
  const providers = new Set([...providersOf(own)].filter((id) => providersOf(gateway).has(id)))
  const isComparable = ({ profile }: SeenCredential): boolean =>
    own.configPath !== undefined || providers.has(providerPart(profile))
  const mine = new Map(own.credentials.filter(isComparable).map((seen) => [seen.profile, seen]))
  const theirs = new Map(gateway.credentials.map((seen) => [seen.profile, seen]))
  const differences = new Map<string, ViewDifference>()
  const add = (seen: SeenCredential, side: Side | 'both'): void => {
    const difference = differenceOf(seen, side)
    if (difference) differences.set(JSON.stringify(difference), difference)
  }

  for (const seen of theirs.values()) {
    const { variable } = seen.source
    const same = mine.get(seen.profile)
    if (variable === undefined) {
      // Access tokens change between two looks, so of what stands in a store only its being there counts.
      if (!same && isComparable(seen)) add(seen, 'gateway')
      continue
    }
    const isSameVariable = same?.source.variable === variable
    const known = isSameVariable ? same.fingerprint : ownVariables.get(variable)
    if (known === undefined) add(seen, 'gateway')
    else if (known !== seen.fingerprint) add(seen, 'both')
  }
  const theirVariables = new Set(gateway.credentials.map(({ source }) => source.variable))
  for (const seen of mine.values()) {
    const { variable } = seen.source
    const isKnown = variable === undefined ? theirs.has(seen.profile) : theirVariables.has(variable)
    if (!isKnown) add(seen, 'own')
  }
  return [...differingTexts(own, gateway), ...differences.values()]
}

function differingTexts(own: SeenReport, gateway: SeenReport): readonly ViewDifference[] {
  const differs = (mine: string | undefined, theirs: string | undefined): boolean =>
    mine !== undefined && theirs !== undefined && mine !== theirs
  return [
    ...(differs(own.configPath, gateway.configPath)
      ? [{ what: 'config' as const, own: own.configPath ?? '', gateway: gateway.configPath ?? '' }]
      : []),
    ...(differs(own.model, gateway.model)
      ? [{ what: 'model' as const, own: own.model ?? '', gateway: gateway.model ?? '' }]
      : []),
  ]
}

function differenceOf(
  { profile, source }: SeenCredential,
  side: Side | 'both',
): ViewDifference | undefined {
  if (source.kind === 'none_needed') return undefined
  if (source.variable !== undefined) return { what: 'variable', name: source.variable, side }
  return side === 'both' ? undefined : { what: 'profile', profile, side }
}

function providersOf({ credentials }: SeenReport): ReadonlySet<string> {
  return new Set(credentials.map(({ profile }) => providerPart(profile)))
}

function providerPart(profile: string): string {
  return profile.slice(0, profile.indexOf(':'))
}
