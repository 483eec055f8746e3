package ledger

// AppendPayload and ParsePayload are the encoding of what is sealed.
var (
	AppendPayload = appendPayload
	ParsePayload  = parsePayload
)

// Cached is how many subjects the ledger keeps ready, and what they cost.
func (l *Ledger) Cached() (subjects, cost int) {
	l.cache.mu.Lock()
	defer l.cache.mu.Unlock()
	return len(l.cache.ring), l.cache.cost
}

// Waiting is how many calls wait to be recorded.
func (l *Ledger) Waiting() int {
	l.queue.Lock()
	defer l.queue.Unlock()
	return len(l.queue.calls)
}

// Busy reports whether calls are being recorded.
func (l *Ledger) Busy() bool {
	l.queue.Lock()
	defer l.queue.Unlock()
	return l.queue.running
}

// Closed reports whether Close was called.
func (l *Ledger) Closed() bool { return l.closed.Load() }
