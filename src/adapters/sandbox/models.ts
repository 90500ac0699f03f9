/** The sandbox's models, and their list in a form that the SDKs of both dialects read. */

/** The first one is the default. */
export const SANDBOX_MODELS: readonly string[] = ['sandbox-echo', 'sandbox-slow']

/** Names of real models are served too, so that a client set up for one can be rehearsed as it is. */
export function isSandboxModel(model: string): boolean {
  return SANDBOX_MODELS.includes(model) || !model.startsWith('sandbox-')
}

/** Answer of `GET /v1/models`. */
export function modelList(): unknown {
  return {
    object: 'list',
    data: SANDBOX_MODELS.map((id) => ({
      id,
      type: 'model',
      display_name: `${id} (sandbox, no real model)`,
      created_at: '2026-01-01T00:00:00Z',
      object: 'model',
      created: 1_767_225_600,
      owned_by: 'equabot',
    })),
    has_more: false,
    first_id: SANDBOX_MODELS.at(0),
    last_id: SANDBOX_MODELS.at(-1),
  }
}
