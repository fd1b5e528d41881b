import { LIMITS } from "@sluice/protocol";

/** Two control messages of the ordinary kind; who has no more than this unread is not what fills the memory. */
const SMALL_BYTES = 1024 * 1024;

/** Counts what is on its way to all agents and not taken by their sockets yet, in bytes. */
export class UnreadMessages {
  #bytes = 0;

  /** @param unreadBytes what this agent has not taken so far */
  hasRoom(bytes: number, unreadBytes: number): boolean {
    return (
      unreadBytes + bytes <= LIMITS.unreadPerAgentBytes &&
      (unreadBytes + bytes <= SMALL_BYTES || this.#bytes + bytes <= LIMITS.unreadTotalBytes)
    );
  }

  /** Counts a message until what is returned is called, once. */
  sending(bytes: number): () => void {
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
    };
  }
}
