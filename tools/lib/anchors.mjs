/** GitHub's anchor of a heading. The site uses it too, so a link works at both places. */
export const anchor = (/** @type {string} */ heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
