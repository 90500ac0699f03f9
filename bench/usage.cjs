// Preloaded into both sides of the start-up benchmark: tells on descriptor 3 what the process has used.
const { writeSync } = require('node:fs')

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const usage = { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMegabytes: maxRSS / 1024 }
  writeSync(3, JSON.stringify(usage))
})
