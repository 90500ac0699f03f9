/**
 * The library door of Equabot: values and decisions, without any I/O.
 *
 * Programs that want to judge, order and explain credentials as Equabot does import from here; those that test
 * against it import fakes from `equabot/testing`.
 */

export { EquabotError, orThrow } from './domain/equabot-error.ts'
export { fail, ok } from './domain/result.ts'
export type { Result } from './domain/result.ts'
export { Secret } from './domain/secret.ts'
export { explain } from './domain/explain.ts'
export type { Explanation } from './domain/explanation.ts'
export type { Fault, FaultCode } from './domain/fault.ts'
export {
  formatModelKey,
  formatModelRef,
  parseAgentId,
  parseModelKey,
  parseModelRef,
  parseProfileId,
  parseProviderId,
  parseSessionId,
} from './domain/names.ts'
export type {
  AgentId,
  ModelKey,
  ModelRef,
  ProfileId,
  ProviderId,
  SessionId,
} from './domain/names.ts'
export { bearerOf, expiresAtOf, isExpired, isRenewable } from './domain/credential.ts'
export type {
  ApiKeyCredential,
  Credential,
  CredentialType,
  OauthCredential,
  TokenCredential,
} from './domain/credential.ts'
export {
  effectiveBook,
  withOrder,
  withoutOrder,
  withoutProfile,
  withProfile,
} from './domain/profile.ts'
export type { EffectiveBook, HeldProfile, Origin, Profile, ProfileBook } from './domain/profile.ts'
export { afterFailure, afterSuccess } from './domain/learning.ts'
export type {
  AgentState,
  FailureReason,
  ProfileUsage,
  Rest,
  UpstreamFailure,
} from './domain/cooldown.ts'
export { rank, tried } from './domain/rotation.ts'
export type {
  Candidate,
  CredentialSource,
  PassedOver,
  Ranked,
  RankInput,
  Taken,
} from './domain/rotation.ts'
export { assess, check } from './domain/health.ts'
export type {
  Access,
  CheckFinding,
  Grant,
  Health,
  Policy,
  Quota,
  Summary,
} from './domain/health.ts'
export { BUILT_IN_PROVIDERS, providerTable } from './domain/provider.ts'
export type {
  ConfiguredProvider,
  Lane,
  Protocol,
  ProviderFacts,
  ProviderTable,
} from './domain/provider.ts'
export { candidatesFor, rankFor } from './domain/world.ts'
export type { Environment, World } from './domain/world.ts'
export { modelChain, resolveModel } from './domain/models.ts'
export type { ModelChain, ResolvedModel } from './domain/models.ts'
export { DEFAULT_SETTINGS } from './domain/settings.ts'
export type { Settings } from './domain/settings.ts'
