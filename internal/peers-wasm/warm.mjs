/**
 * How long a decision takes, in nanoseconds: the median and the 99th of a hundred of
 * many short runs over the inputs in turn, when it has been made for a while.
 */
export function warm(decide, inputs, short) {
  const now = () => performance.now()
  for (const end = now() + (short ? 20 : 700); now() < end;) for (const f of inputs) decide(f)
  // Runs long enough for the clock, which is coarse in browsers.
  const least = short ? 4 : typeof window === 'undefined' ? 1 : 20
  let rounds = 1
  for (;;) {
    const from = now()
    for (let i = 0; i < rounds; i++) for (const f of inputs) decide(f)
    if (now() - from > least) break
    rounds *= 2
  }
  const times = []
  for (const end = now() + (short ? 20 : 1500); now() < end;) {
    const from = now()
    for (let i = 0; i < rounds; i++) for (const f of inputs) decide(f)
    times.push((now() - from) / (rounds * inputs.length) * 1e6)
  }
  times.sort((a, b) => a - b)
  return { ns: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] }
}
