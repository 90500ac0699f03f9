/** The codec of `gateway.json`, by which programs of this user find the running gateway. */

import * as v from 'valibot'

import type { GatewayRecord } from '../domain/ports.ts'
import { decodeOrDrop, parseJson } from './decode.ts'

const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))
const RecordSchema: v.GenericSchema<unknown, GatewayRecord> = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  port: Port,
  bind: v.string(),
  startedAt: v.number(),
  version: v.string(),
})

/** The record, or undefined when the text is none. */
export function parseGatewayRecord(text: string): GatewayRecord | undefined {
  const parsed = parseJson(text)
  return parsed.ok ? decodeOrDrop(RecordSchema, parsed.value) : undefined
}

export function renderGatewayRecord(record: GatewayRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`
}
