/**
 * A piece of a document that moves with the edits around it. Pure: offsets in, offsets out, in whatever unit the
 * editor counts (UTF-16 here).
 */

export interface Region {
  readonly start: number;
  readonly end: number;
}

/** One change of a document, as an editor tells it. */
export interface Change {
  readonly rangeOffset: number;
  readonly rangeLength: number;
  readonly text: string;
}

/**
 * Return the region after a change of ours in it: it holds all that the change wrote, at its very ends too.
 */
export function grown(region: Region, change: Change): Region {
  const by = change.text.length - change.rangeLength;
  const changeEnd = change.rangeOffset + change.rangeLength;
  if (change.rangeOffset > region.end || changeEnd < region.start) {
    return moved(region, change) ?? region;
  }
  const start = Math.min(region.start, change.rangeOffset);
  const end = Math.max(region.end, changeEnd) + by;
  return { start, end };
}

/** Return the region after a user's change, undefined where the change reaches into it. */
export function moved(region: Region, change: Change): Region | undefined {
  const by = change.text.length - change.rangeLength;
  const changeEnd = change.rangeOffset + change.rangeLength;
  if (changeEnd <= region.start) {
    return { start: region.start + by, end: region.end + by };
  }
  return change.rangeOffset >= region.end ? region : undefined;
}
