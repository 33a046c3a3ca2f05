/** Follows a lesson by copying: its files, its commands, and what it says that they print. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const FENCE =
  /(?:<!-- (not run|in the background|in the browser)(?:: ([^\n]*?))? -->\n)?```(\w+)(?: file=(\S+))?\n([^]*?)```/g

/**
 * @typedef {object} Step
 * @property {string} [file] a file to save
 * @property {string} [command] commands to run
 * @property {boolean} [background] whether they go on while the next ones run
 * @property {string} [prints] what they print
 * @property {string} [address] of a page, whose title is the text
 * @property {string} text
 */

/**
 * Returns the steps of a lesson in order. A `text` block belongs to the command before it.
 *
 * @param {string} markdown
 * @returns {Step[]}
 */
export function stepsOf(markdown) {
  /** @type {Step[]} */
  const steps = []
  for (const [, mark, note, language, file, text = ''] of markdown.matchAll(FENCE)) {
    const last = steps.at(-1)
    if (mark === 'not run') continue
    if (file !== undefined) steps.push({ file, text })
    else if (language === 'sh') steps.push({ command: text, background: mark !== undefined, text })
    else if (mark === 'in the browser') steps.push({ address: note ?? '', text })
    else if (language === 'text' && last?.command !== undefined) last.prints = text
    else throw new Error(`a lesson has no use for this block: ${text.slice(0, 60)}`)
  }
  return steps
}

/**
 * A shell that follows steps. The folder and the variables of one step stay for the next.
 *
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
export function openShell(folder, env) {
  const state = { folder, env }

  /** @param {string} command */
  function run(command) {
    const after = '\n{ pwd; env -0; } > "$LESSON_STATE"'
    const path = join(folder, '.state')
    const done = spawnSync('bash', ['-ec', command + after], {
      cwd: state.folder,
      env: { ...state.env, LESSON_STATE: path },
      encoding: 'utf8',
    })
    if (done.status !== 0) throw new Error(`${command}${done.stdout}${done.stderr}`)
    const [, cwd = '', rest = ''] = /^([^\n]*)\n([^]*)$/.exec(readFileSync(path, 'utf8')) ?? []
    const entries = rest.split('\0').filter((line) => line.includes('='))
    state.env = Object.fromEntries(entries.map((line) => split(line)))
    state.folder = cwd
    return done.stdout
  }

  return {
    run,
    /** @param {string} file  @param {string} text */
    save(file, text) {
      const path = join(state.folder, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    },
    /** @param {string} command  @returns a process group of its own */
    start: (command) =>
      spawn('bash', ['-c', command], { cwd: state.folder, env: state.env, detached: true }),
  }
}

/** @param {string} line  @returns {[string, string]} */
function split(line) {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}
