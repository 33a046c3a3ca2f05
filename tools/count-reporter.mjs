/**
 * vitest's last line in the form that `.ci/run` adds up, and every skipped test with its reason. In
 * CI a skip without a reason is a failure; elsewhere it may be a filter's.
 */
export default class CountReporter {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      // A file that fails to load has no tests, and is a failure all the same.
      if (module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'passed' || state === 'failed') counts[state]++
        else {
          const silent = note === undefined && process.env['CI'] !== undefined
          counts[silent ? 'failed' : 'skipped']++
          if (silent) process.exitCode = 1
          console.log(`skipped: ${test.fullName} (${note ?? 'no reason given'})`)
        }
      }
    }
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
    console.log(`vitest: ${counts.passed} passed, ${counts.failed} failed${skipped}`)
  }
}
