/** What a profile may use, as it stands in `equabot.json`. A message completes the sentence that the field's name begins. */

import * as v from 'valibot'
import type { Budget, Limit } from '../domain/budget.ts'

const POSITIVE = v.pipe(v.number(), v.gtValue(0, 'must be more than 0'))

const LIMIT: v.GenericSchema<Limit> = v.pipe(
  v.strictObject({
    usd: v.exactOptional(
      v.pipe(POSITIVE, v.description('US dollars, estimated from list prices.')),
    ),
    tokens: v.exactOptional(
      v.pipe(POSITIVE, v.integer('must be a whole number'), v.description('Input and output.')),
    ),
    soft: v.exactOptional(
      v.pipe(
        v.number(),
        v.minValue(0, 'must be from 0 to 1'),
        v.maxValue(1, 'must be from 0 to 1'),
        v.description('From this share on the profile is tried last; 0.8 unless set.'),
      ),
    ),
    hard: v.exactOptional(
      v.pipe(
        v.boolean(),
        v.description('Whether it is no longer used when all is spent; true unless set.'),
      ),
    ),
  }),
  v.check(
    ({ usd, tokens }) => usd !== undefined || tokens !== undefined,
    'needs "usd" or "tokens"',
  ),
)

export const BUDGET: v.GenericSchema<Budget> = v.pipe(
  v.strictObject({ daily: v.exactOptional(LIMIT), monthly: v.exactOptional(LIMIT) }),
  v.description('What the profile may use per day and per month, both by UTC.'),
)
