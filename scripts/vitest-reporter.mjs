/**
 * Vitest reporter beside the one that prints failures: counts the tests, and fails the run where a
 * test was skipped without saying why (`ctx.skip("no sample corpus at ...")`). Only a missing
 * corpus, privilege or platform is a reason.
 *
 * Writes a {@link TestReport} to the path in SLUICE_TEST_REPORT where that is set.
 */
import { writeFileSync } from "node:fs";

/**
 * @typedef {object} TestReport
 * @property {number} passed
 * @property {number} failed failed tests, failed suites, unhandled errors and unexplained skips
 * @property {{name: string, reason: string}[]} skipped
 * @property {string[]} unexplained names of tests skipped without a reason
 */

function nameOf(test) {
  return `${test.project.name}: ${test.module.relativeModuleId}: ${test.fullName}`;
}

/** @returns {TestReport} */
export function summarize(testModules, unhandledErrors) {
  const report = { passed: 0, failed: unhandledErrors.length, skipped: [], unexplained: [] };
  for (const testModule of testModules) {
    // A file or a suite that fails outside of its tests has errors of its own.
    report.failed += testModule.errors().length;
    for (const suite of testModule.children.allSuites()) report.failed += suite.errors().length;
    for (const test of testModule.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") report.passed += 1;
      else if (result.state === "failed") report.failed += 1;
      else if (result.note?.trim())
        report.skipped.push({ name: nameOf(test), reason: result.note });
      else report.unexplained.push(nameOf(test));
    }
  }
  report.failed += report.unexplained.length;
  return report;
}

export default class SkipReporter {
  onTestRunEnd(testModules, unhandledErrors, reason) {
    const report = summarize(testModules, unhandledErrors);
    // Interrupted tests never ran; that is a failure of the run, not of their authors.
    if (reason === "interrupted") report.failed += 1;
    for (const name of report.unexplained) {
      console.error(`skipped without a reason: ${name}`);
    }
    if (report.failed > 0) process.exitCode = 1;
    const path = process.env.SLUICE_TEST_REPORT;
    if (path) writeFileSync(path, JSON.stringify(report));
  }
}
