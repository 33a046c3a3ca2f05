/** vitest's last line in the form that `.ci/run` adds up, and every skipped test by its name. */
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
          counts.skipped++
          console.log(`skipped: ${test.fullName}${note === undefined ? '' : ` (${note})`}`)
        }
      }
    }
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
    console.log(`vitest: ${counts.passed} passed, ${counts.failed} failed${skipped}`)
  }
}
