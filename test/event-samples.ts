import type { EquabotEvent, Happening, HappeningKind } from '../src/domain/event.ts'
import { MAIN_AGENT } from '../src/domain/names.ts'
import { DAY_MS, HOUR_MS } from '../src/domain/time.ts'
import { FAKE_NOW } from '../src/testing.ts'
import { profile, provider, session } from './names-from.ts'

/** One happening of each kind with every field that it can have. */
export const HAPPENING_SAMPLES: {
  readonly [K in HappeningKind]: Required<Extract<Happening, { kind: K }>>
} = {
  'credential.expiring': {
    kind: 'credential.expiring',
    profile: profile('anthropic:work'),
    at: FAKE_NOW + 20 * HOUR_MS,
  },
  'credential.expired': {
    kind: 'credential.expired',
    profile: profile('anthropic:work'),
    at: FAKE_NOW - HOUR_MS,
  },
  'credential.renewed': {
    kind: 'credential.renewed',
    profile: profile('openai:team'),
    until: FAKE_NOW + 8 * HOUR_MS,
  },
  'credential.renewal_failed': {
    kind: 'credential.renewal_failed',
    profile: profile('openai:team'),
    code: 'EQ_GRANT_DEAD',
  },
  'credential.refused': {
    kind: 'credential.refused',
    profile: profile('anthropic:work'),
    reason: 'auth',
    policy: true,
  },
  'credential.resting': {
    kind: 'credential.resting',
    profile: profile('anthropic:work'),
    scope: 'model',
    model: 'anthropic/claude-test',
    reason: 'rate_limit',
    until: FAKE_NOW + HOUR_MS,
  },
  'credential.recovered': { kind: 'credential.recovered', profile: profile('anthropic:work') },
  'lane.crossed': {
    kind: 'lane.crossed',
    agent: MAIN_AGENT,
    session: session('monday'),
    from: { profile: profile('anthropic:work'), lane: 'subscription' },
    to: { profile: profile('anthropic:key'), lane: 'metered' },
  },
  'all.resting': {
    kind: 'all.resting',
    agent: MAIN_AGENT,
    provider: provider('anthropic'),
    until: FAKE_NOW + HOUR_MS,
  },
  'budget.reached': {
    kind: 'budget.reached',
    profile: profile('anthropic:key'),
    period: 'daily',
    limit: 'soft',
  },
  'session.pinned': {
    kind: 'session.pinned',
    agent: MAIN_AGENT,
    session: session('monday'),
    profile: profile('anthropic:work'),
    source: 'user',
  },
  'session.unpinned': {
    kind: 'session.unpinned',
    agent: MAIN_AGENT,
    session: session('monday'),
    profile: profile('anthropic:work'),
  },
}

export const EVENT_SAMPLES: readonly EquabotEvent[] = Object.values(HAPPENING_SAMPLES).map(
  (happening, index) => ({ ...happening, seq: index + 1, when: FAKE_NOW + index * DAY_MS }),
)
