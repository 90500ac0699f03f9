/** The control API as an OpenAPI document, made from the routes themselves. Heavy: load it when it is asked for. */

import { toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import type { ControlRoute } from './control-api.ts'
import { CONTROL_ROUTES } from './control-api.ts'
import { ERROR } from './control-schema.ts'

type Json = Readonly<Record<string, unknown>>

/** @param version of the program */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const [name, route] of Object.entries(CONTROL_ROUTES)) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation(name, route),
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Equabot gateway', version },
    security: [{ gatewayToken: [] }],
    paths,
    components: {
      securitySchemes: { gatewayToken: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: schemaOf(ERROR) },
    },
  }
}

function operation(name: string, route: ControlRoute): Json {
  const parameters = [
    ...pathParameters(route.path).map((parameter) => ({
      name: parameter,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...optionalParameters('query', route.query),
    ...optionalParameters('header', route.headers),
  ]
  return {
    operationId: name,
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(route.request && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(route.request) } },
      },
    }),
    responses: {
      200: {
        description: route.streams ? 'Server-sent events, one for each part of the reply' : 'Done',
        content: {
          [route.streams ? 'text/event-stream' : 'application/json']: {
            schema: route.reply ? schemaOf(route.reply) : { type: 'object' },
          },
        },
      },
      default: {
        description: 'A fault, with its code and what to do',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function optionalParameters(
  place: 'query' | 'header',
  parameters: Readonly<Record<string, string>> = {},
): readonly Json[] {
  return Object.entries(parameters).map(([name, description]) => ({
    name,
    in: place,
    required: false,
    description,
    schema: { type: 'string' },
  }))
}

function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
}

/** OpenAPI 3.1 schemas are JSON Schema; the dialect is named once for the document, not in each of them. */
function schemaOf(schema: v.GenericSchema): Json {
  const { $schema: _dialect, ...rest } = toJsonSchema(schema)
  return rest
}
