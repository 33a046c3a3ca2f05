import type { RotationState } from 'edge-kms/rotation'
import type { Env } from './env.ts'

/** Parameters of a Workflow: one instance makes a part of the steps of a rotation. */
export interface RotationPart {
  readonly state: RotationState
  /** From 1. */
  readonly part: number
}

/**
 * Starts the instance of a part, unless it is there. Its id comes from the rotation and the part alone, so a message
 * that is delivered twice, or a step that is repeated, starts nothing a second time.
 */
export async function startPart({ ROTATION }: Pick<Env, 'ROTATION'>, params: RotationPart) {
  const id = `${params.state.job}-${String(params.part)}`
  try {
    await ROTATION.create({ id, params })
  } catch (error) {
    // It was created before, or it could not be: the instance knows.
    const instance = await ROTATION.get(id).catch(() => undefined)
    if (instance === undefined) throw error
  }
  return id
}
