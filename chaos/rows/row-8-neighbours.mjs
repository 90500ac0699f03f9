/**
 * Row 8: Claude Code and Equabot renew the same login, in Claude Code's own file.
 *
 * A simulated Claude Code, with its own locks and rules, starts to renew as soon as each step of ours can be seen, and
 * at random instants before and after. The login service is strict. Nobody may be logged out, nothing may be sent
 * twice, and what the file holds beside the tokens stays. With `renew: "never"` nothing is sent and nothing touched.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import { helperOf, watchJournal } from '../journal.mjs'
import { oneOf, randomFrom, wholeBetween } from '../random.mjs'
import { programs } from '../bundle.mjs'
import { createFindings, createHome, inLanes, run, SETTINGS, start } from '../stand.mjs'
import { startTokenServer } from '../token-server.mjs'

const NEIGHBOUR = fileURLToPath(new URL('../neighbour.mjs', import.meta.url))
const STEPS = [
  'started',
  'room made',
  'reserved',
  'marked sent',
  'arrived',
  'answered',
  'kept',
  'verdict',
]

export const SIZES = { ci: { eachStep: 1, random: 12 }, full: { eachStep: 50, random: 600 } }
const LANES = 3
/** Between the two beginnings at most, ms. */
const APART_MS = 400
/** So long its owner holds its locks before it looks, ms. */
const HOLDS_MS = [0, 0, 20, 200, 800]
const FILE = 'claude/.credentials.json'
const PROFILE = 'anthropic:claude-cli'
const ASK = ['agent', '--message', 'hi', '--model', 'anthropic/claude-sonnet-5']

export async function row8({ eachStep, random: randomStarts, holds = HOLDS_MS }, seed, breakage) {
  const plans = [
    ...STEPS.flatMap((step) => Array.from({ length: eachStep }, () => step)),
    ...Array.from({ length: randomStarts }, () => 'random'),
  ]
  const built = await programs(breakage)
  const findings = createFindings()
  const figures = {
    interleavings: plans.length,
    'renewed by us': 0,
    'renewed by its owner': 0,
    'told to come again': 0,
  }
  await inLanes(LANES, plans.length, async (index) => {
    const server = await startTokenServer({ mode: 'strict', latencyMs: 40 })
    const random = randomFrom(seed, 'row 8', index)
    const plan = { step: plans[index], holdMs: oneOf(random, holds) }
    await renewTogether(
      server,
      built,
      plan,
      random,
      `${plan.step}, held for ${plan.holdMs} ms, number ${index}`,
      figures,
      findings,
    )
    await server.close()
  })
  await keepHandsOff(built, findings)
  return {
    row: 8,
    passed: findings.list().length === 0,
    problems: findings.list(),
    figures: { ...figures, 'logged out': findings.count('logged out') },
  }
}

/** A HOME with a login of Claude Code whose access token has ended, and what else its file may hold. */
function neighbourHome(server, settings = {}) {
  const login = server.login()
  server.families.expire(login.family)
  const claudeAiOauth = {
    accessToken: login.access,
    refreshToken: login.refresh,
    expiresAt: Date.now() - 60_000,
    scopes: ['user:inference', 'user:profile'],
    subscriptionType: 'max',
    rateLimitTier: 'made up',
    notKnownToUs: { kept: [1, 2.5, 'three'] },
  }
  const anthropic = { baseUrl: server.url, oauth: { tokenUrl: server.tokenUrl } }
  const home = createHome({
    [FILE]: { mcpOAuth: { somebody: { accessToken: 'chaos-not-ours' } }, claudeAiOauth },
    [SETTINGS]: { models: { providers: { anthropic } }, ...settings },
  })
  const folder = join(home.home, 'claude')
  return {
    ...home,
    env: { ...home.env, CLAUDE_CONFIG_DIR: folder },
    folder,
    file: join(home.home, FILE),
    family: login.family,
  }
}

async function renewTogether(server, built, plan, random, about, figures, findings) {
  const home = { ...neighbourHome(server), ...built }
  const before = look(home)
  const neighbour = start(NEIGHBOUR, [home.folder, server.tokenUrl])
  await neighbour.next()
  const ours = await startBoth(server, home, neighbour, plan, random)
  const theirs = await neighbour.next()
  const { code } = await ours.ended
  await server.settled()
  if (code !== 0) {
    figures['told to come again'] += 1
    await wait(2600)
    const again = await run(home.program, ASK, { env: home.env })
    if (again.code !== 0)
      findings.add('we were not served', `${about}: ${ours.errors()} ${again.err}`)
  }
  judge(server, home, before, theirs, about, figures, findings)
  await neighbour.kill()
  home.remove()
}

/** Lets both go, one as long after the other as the plan has it. Gives our program. */
async function startBoth(server, home, neighbour, { step, holdMs }, random) {
  const apartMs = wholeBetween(random, -APART_MS, APART_MS)
  const isTheirsFirst = step === 'random' && apartMs < 0
  if (isTheirsFirst) {
    neighbour.say(holdMs)
    await wait(-apartMs)
  }
  const ours = start(home.program, ASK, { env: home.env })
  if (isTheirsFirst) return ours
  const helper = step === 'random' ? await wait(apartMs) : await helperOf(ours)
  if (helper !== undefined) await watchJournal(home, server).until(step, helper)
  neighbour.say(holdMs)
  return ours
}

function judge(server, home, before, theirs, about, figures, findings) {
  const sends = server.sends.map(({ client, outcome }) => `${client} ${outcome}`)
  const after = look(home)
  const detail = `${about}: it said ${theirs}; ${JSON.stringify({ sends })}`
  const current = server.families.current(home.family)
  const { accessToken, refreshToken, expiresAt } = after.content.claudeAiOauth
  const couldNot = theirs === 'busy' || theirs.startsWith('failed')
  const isNew = refreshToken === current.refresh && accessToken === current.access
  const wrongs = {
    'logged out': !server.families.get(home.family).alive || theirs === 'logged out',
    'not exactly one send': sends.length !== 1,
    'its owner could not do its part': couldNot,
    'the file does not hold the new login': !isNew,
    'the file has the wrong end': !(expiresAt > Date.now()),
    'something else in the file changed': besideTokens(after) !== besideTokens(before),
    'mode or owner changed': after.mode !== before.mode || after.uid !== before.uid,
    'something was left behind': after.names.join() !== before.names.join(),
  }
  for (const [wrong, isSo] of Object.entries(wrongs)) if (isSo) findings.add(wrong, detail)
  const isTheirs = sends[0]?.startsWith('claude-code-simulated')
  figures[isTheirs ? 'renewed by its owner' : 'renewed by us'] += 1
}

/** All of the file but the three members that a renewal changes. */
function besideTokens({ content: { claudeAiOauth, ...others } }) {
  const tokens = { accessToken: '', refreshToken: '', expiresAt: 0 }
  return JSON.stringify({ ...others, claudeAiOauth: { ...claudeAiOauth, ...tokens } })
}

/** The file, and the names around it. */
function look({ home, folder, file }) {
  const { mode, uid, mtimeMs, ino } = statSync(file)
  const bytes = readFileSync(file, 'utf8')
  const names = [
    ...readdirSync(folder),
    ...readdirSync(home).filter((name) => name.endsWith('.lock')),
  ]
  return { mode, uid, mtimeMs, ino, bytes, names, content: JSON.parse(bytes) }
}

/** With `renew: "never"` the file is read and nothing else. */
async function keepHandsOff(built, findings) {
  const server = await startTokenServer({ mode: 'strict' })
  const never = { auth: { foreign: { claudeCode: { renew: 'never' } } } }
  const home = { ...neighbourHome(server, never), ...built }
  const before = look(home)
  const commands = [
    ASK,
    ['models', 'status'],
    ['models', 'auth', 'sync'],
    ['models', 'auth', 'renew', PROFILE],
    ASK,
  ]
  const codes = []
  for (const command of commands)
    codes.push((await run(home.program, command, { env: home.env })).code)
  const { content: _, ...after } = look(home)
  const { content: __, ...first } = before
  if (server.sends.length > 0) findings.add('sent although it must never', `${server.sends.length}`)
  if (JSON.stringify(after) !== JSON.stringify(first))
    findings.add('touched although it must never be', JSON.stringify([first, after]))
  if (codes[0] === 0) findings.add('a login that has ended has served', codes.join())
  await server.close()
  home.remove()
}
