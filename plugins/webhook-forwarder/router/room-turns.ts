/**
 * Keeps a room's events in the order of their arrival while a matcher takes its time. LiveKit sends a room's next event when
 * the one before has been answered, but another node, or a repetition after a broken connection, may bring one meanwhile:
 * without this it would be committed, and delivered, before the event that is still being asked about.
 *
 * Matchers are asked about such events side by side; only their commits follow each other. So of two events of one
 * participant the earlier one decides, if its matchers have an answer, and else the later one; and a room waits for as
 * long as its slowest question, not for the sum. A room's events that need no waiting, when none of it waits, cost a look
 * into an empty map.
 */
export function createRoomTurns() {
  /** Of each room in which somebody waits: fulfilled when the turn of its last event has begun. */
  const last = new Map<string, Promise<unknown>>();

  return {
    /**
     * Runs `next` with the answer, after the turns of the room's earlier events have begun.
     *
     * @param answer never rejects.
     */
    take<Answer, Result>(
      room: string,
      answer: Answer | Promise<Answer>,
      next: (answer: Answer) => Promise<Result>,
    ): Promise<Result> {
      const before = last.get(room);
      if (before === undefined && !(answer instanceof Promise)) return next(answer);
      const turn = begin();
      last.set(room, turn);
      return turn.then(({ result }) => result);

      /** In a box, so that the next turn does not wait for the result: both fit into one transaction. */
      async function begin(): Promise<{ readonly result: Promise<Result> }> {
        const [answered] = await Promise.all([answer, before]);
        if (last.get(room) === turn) last.delete(room);
        return { result: next(answered) };
      }
    },

    /** Rooms in which somebody waits. */
    get waiting(): number {
      return last.size;
    },
  };
}
