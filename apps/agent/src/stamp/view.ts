let viewed: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(viewed.buffer);

/**
 * A view of a buffer, for reading several bytes at once. The last one is kept, so that the lines of
 * one chunk share it, whichever stream they are of; a caller that cuts a subarray per line pays for
 * a view per line.
 */
export function viewOf(buffer: Uint8Array): DataView {
  if (buffer !== viewed) {
    view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    viewed = buffer;
  }
  return view;
}
