/** nginx as the distribution has it: the one on PATH, or Debian's package without an installation. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MissingError } from './missing.mjs'

/** The name and version that {@link nginxBefore} and its installation share. */
export const nginx = { name: 'nginx', version: 'of-the-distribution', install }

/**
 * Returns the recipe of an nginx before one server, with a path for each set of directives:
 * `/default/v1/encrypt` goes upstream as `/v1/encrypt`.
 *
 * @param {string} upstream the URL of the server
 * @param {Readonly<Record<string, readonly string[]>>} paths the directives of each path
 * @returns {import('./recipes.mjs').Recipe}
 */
export function nginxBefore(upstream, paths) {
  return {
    ...nginx,
    start({ folder, port, state }) {
      const config = join(state, 'nginx.conf')
      writeFileSync(config, configOf({ upstream, paths, port, state }))
      return { command: join(folder, 'nginx'), args: ['-e', 'stderr', '-c', config], env: {} }
    },
    readyPath: '/ready',
  }
}

/** @param {string} folder of the installation */
export function versionOf(folder) {
  return spawnSync(join(folder, 'nginx'), ['-v'], { encoding: 'utf8' }).stderr.trim()
}

function configOf({ upstream, paths, port, state }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const locations = Object.entries(paths).map(
    ([name, directives]) =>
      `location /${name}/ { proxy_pass ${upstream}/; ${directives.map((one) => `${one};`).join(' ')} }`,
  )
  // The workers of a root's nginx are nobody's, and could not write to the folder.
  return `${process.getuid?.() === 0 ? 'user root root;' : ''}
daemon off;
error_log stderr warn;
worker_processes 1;
pid ${join(state, 'pid')};
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${join(state, name)};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    location = /ready { return 200; }
    ${locations.join('\n    ')}
  }
}
`
}

/** @param {string} folder */
function install(folder) {
  const program = programOf((process.env['PATH'] ?? '').split(':').concat('/usr/sbin'))
  symlinkSync(program ?? unpacked(folder), join(folder, 'nginx'))
}

/** @param {readonly string[]} places */
function programOf(places) {
  return places.map((place) => join(place, 'nginx')).find((file) => existsSync(file))
}

/** One package is enough: what it depends on is on every Debian. Returns a path from the folder. */
function unpacked(folder) {
  const packages = join(folder, 'package')
  mkdirSync(packages)
  const download = () => run('apt-get', ['download', '-qq', 'nginx'], packages)
  let problem = download()
  if (problem !== undefined && process.env['CI'] === 'true') {
    run('apt-get', ['update', '-qq'], packages) // a fresh image has no lists
    problem = download()
  }
  const file = readdirSync(packages).find((name) => name.endsWith('.deb'))
  if (file === undefined)
    throw new MissingError(`nginx is not on PATH: apt-get install nginx (${problem})`)
  const failed = run('dpkg-deb', ['-x', file, '.'], packages)
  if (failed !== undefined) throw new MissingError(`nginx could not be unpacked: ${failed}`)
  return 'package/usr/sbin/nginx'
}

/** Returns why it failed, or `undefined`. */
function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (done.status === 0) return undefined
  return (done.stderr ?? done.error?.message ?? '').trim().split('\n').at(-1) || `${command} failed`
}
