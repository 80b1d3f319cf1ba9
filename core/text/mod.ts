/**
 * Text between the two systems: what is HTML, what is plain, and when two texts are the same.
 * @module
 */
export * from "./entities.ts";
export * from "./html.ts";
export * from "./markers.ts";
export * from "./names.ts";
export * from "./normalize.ts";
