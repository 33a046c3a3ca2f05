/** An error that the user can mend: it is shown as it is, without a stack. */
export class StartError extends Error {}
