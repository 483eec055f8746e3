// What a Go module asks of a WASI host, and no more: a start time for its runtime,
// random bytes for its hash maps, and a place for a crash message. There are no
// files, no arguments, no environment and no network. The module's answers depend
// on none of it: the time of a question stands in the question.

const OK = 0, BADF = 8, INVAL = 28;

/** The imports of the module, in the order of their names: a test compares them with the module. */
export const importNames = [
  'args_get', 'args_sizes_get', 'clock_time_get', 'environ_get', 'environ_sizes_get', 'fd_close',
  'fd_fdstat_get', 'fd_fdstat_set_flags', 'fd_prestat_dir_name', 'fd_prestat_get', 'fd_read', 'fd_seek',
  'fd_write', 'path_open', 'poll_oneoff', 'proc_exit', 'random_get', 'sched_yield',
];

/** Thrown out of the module when its runtime gives up; the instance is of no use afterwards. */
export class Exit extends Error {
  constructor(code) {
    super(`the module ended itself with status ${code}`);
    this.name = 'Exit';
  }
}

/**
 * wasi makes the import object. memory is called when it is needed, because the
 * memory comes with the instance that these imports are for.
 */
export function wasi(memory) {
  const view = () => new DataView(memory().buffer);
  const refuse = () => BADF;
  const none = (count, size) => {
    const v = view();
    v.setUint32(count, 0, true);
    v.setUint32(size, 0, true);
    return OK;
  };
  const known = {
    args_sizes_get: none,
    environ_sizes_get: none,
    args_get: () => OK,
    environ_get: () => OK,
    // The wall clock stands still. The monotonic clock must move, because the
    // module's runtime measures its own work with it.
    clock_time_get(id, _precision, at) {
      const now = id === 0 ? 1_000_000_000n : BigInt(Math.round(performance.now() * 1e6)) + 1n;
      view().setBigUint64(at, now, true);
      return OK;
    },
    // What the module's runtime writes before it gives up could hold data, so it
    // goes nowhere.
    fd_write(fd, vectors, count, written) {
      if (fd !== 1 && fd !== 2) return BADF;
      const v = view();
      let total = 0;
      for (let i = 0; i < count; i++) total += v.getUint32(vectors + 8 * i + 4, true);
      v.setUint32(written, total, true);
      return OK;
    },
    fd_fdstat_get(fd, at) {
      if (fd > 2) return BADF;
      new Uint8Array(memory().buffer, at, 24).fill(0);
      view().setUint8(at, 2); // a character device
      return OK;
    },
    random_get(at, size) {
      for (let done = 0; done < size; done += 65536) {
        crypto.getRandomValues(new Uint8Array(memory().buffer, at + done, Math.min(65536, size - done)));
      }
      return OK;
    },
    // Nobody waits inside a call: every subscription is a clock, and counts as reached.
    poll_oneoff(subscriptions, events, count, at) {
      if (count < 1) return INVAL;
      const v = view();
      for (let i = 0; i < count; i++) {
        v.setBigUint64(events + 32 * i, v.getBigUint64(subscriptions + 48 * i, true), true);
        v.setUint16(events + 32 * i + 8, 0, true);
        v.setUint8(events + 32 * i + 10, v.getUint8(subscriptions + 48 * i + 8));
      }
      v.setUint32(at, count, true);
      return OK;
    },
    sched_yield: () => OK,
    proc_exit(code) {
      throw new Exit(code);
    },
  };
  return Object.fromEntries(importNames.map((name) => [name, known[name] ?? refuse]));
}
