/** Why an expression cannot be read, or has no value. */
export class GovaluateError extends Error {}
