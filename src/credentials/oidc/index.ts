/**
 * OIDC tokens of the platform, for credentials that exchange them.
 *
 * @module
 */
export { denoDeployToken, type DenoDeployTokenOptions } from './deno-deploy.ts'
export { fileToken, type FileTokenOptions } from './file-token.ts'
export { githubActionsToken, type GithubActionsTokenOptions } from './github-actions.ts'
export type { OidcTokenSource } from './oidc-token-source.ts'
