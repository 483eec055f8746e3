package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"strconv"
	"sync"
)

// NewMemory makes an empty ledger that lives as long as the process.
func NewMemory(options ...Option) *Ledger {
	l := newLedger(NewMemoryStore(), NewMemoryKeys(), &Key{}, options)
	secret, _ := l.keys.Secret(context.Background()) // crypto/rand does not fail
	l.secret = secretOf(secret)
	return l
}

// NewMemoryStore makes an empty store that lives as long as the process.
func NewMemoryStore() Store {
	return &memoryStore{&memoryLog{ids: make(map[string]uint32), subjects: make(map[Handle]chain)}}
}

// NewMemoryKeys makes a key store that lives as long as the process. Beside a
// store that lasts it would erase everybody when the process ends.
func NewMemoryKeys() Keys {
	k := &memoryKeys{&keyRing{keys: make(map[Tag]Key), unfinished: make(map[Tag]Erasure)}}
	rand.Read(k.secret[:]) //nolint:errcheck // never fails
	return k
}

// A memoryStore is its log behind a pointer, so that whoever prints it by mistake
// prints an address.
type memoryStore struct{ *memoryLog }

type memoryLog struct {
	appending sync.Mutex // one at a time; readers go on meanwhile

	mu       sync.RWMutex
	tail     Tail
	entries  []memoryEntry
	ids      map[string]uint32 // of entries whose id is not made of their place
	subjects map[Handle]chain
	closed   bool
}

// A memoryEntry keeps envelope and sealed payload in one piece. Its bytes never
// change, so that readers need not copy them.
type memoryEntry struct {
	bytes  []byte
	split  uint32 // where the sealed payload begins
	next   uint32 // index of the subject's next entry; 0: none
	handle Handle
}

// A chain is the first and the last entry of a subject, as indices.
type chain struct{ first, last uint32 }

func (e *memoryEntry) entry(at uint32) Entry {
	return Entry{Seq: uint64(at) + 1, Envelope: e.bytes[:e.split:e.split], Handle: e.handle, Sealed: e.bytes[e.split:]}
}

func placeID(seq uint64) string { return "e" + strconv.FormatUint(seq, 10) }

func (m *memoryLog) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	return nil
}

func (m *memoryLog) Append(ctx context.Context, build func(context.Context, Reader, Tail) ([]Entry, Tail, error)) error {
	m.appending.Lock()
	defer m.appending.Unlock()
	if err := m.ready(ctx); err != nil {
		return err
	}
	entries, tail, err := build(ctx, m, m.tail) // nobody else changes it
	if err != nil || len(entries) == 0 {
		return err
	}
	if uint64(len(m.entries)+len(entries)) >= 1<<32 {
		return errors.New("ledger: memory: full: use a store on disk")
	}
	envelopes := make([]Envelope, len(entries))
	for i := range entries {
		if envelopes[i], err = ParseEnvelope(entries[i].Envelope); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range entries {
		e, at := &entries[i], uint32(len(m.entries))
		bytes := make([]byte, 0, len(e.Envelope)+len(e.Sealed))
		m.entries = append(m.entries, memoryEntry{bytes: append(append(bytes, e.Envelope...), e.Sealed...), split: uint32(len(e.Envelope)), handle: e.Handle})
		if id := envelopes[i].ID; id != placeID(e.Seq) {
			m.ids[id] = at
		}
		if e.Handle == (Handle{}) {
			continue
		}
		c, ok := m.subjects[e.Handle]
		if ok {
			m.entries[c.last].next = at
		} else {
			c.first = at
		}
		c.last = at
		m.subjects[e.Handle] = c
	}
	m.tail = tail
	return nil
}

func (m *memoryLog) Drop(ctx context.Context, handle Handle) error {
	if err := m.ready(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.subjects[handle]
	for at := c.first; ok; {
		e := &m.entries[at]
		at, ok = e.next, e.next != 0
		*e = memoryEntry{bytes: append([]byte(nil), e.bytes[:e.split]...), split: e.split}
	}
	delete(m.subjects, handle)
	return nil
}

func (m *memoryLog) Exclusive() bool { return true }

func (m *memoryLog) Close() error {
	m.appending.Lock()
	defer m.appending.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *memoryLog) Tail(ctx context.Context) (Tail, error) {
	if err := m.ready(ctx); err != nil {
		return Tail{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.tail, nil
}

func (m *memoryLog) Entries(ctx context.Context, after uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			if err := m.ready(ctx); err != nil {
				yield(Entry{}, err)
				return
			}
			m.mu.RLock()
			if after >= uint64(len(m.entries)) {
				m.mu.RUnlock()
				return
			}
			e := m.entries[after].entry(uint32(after))
			m.mu.RUnlock()
			after++
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memoryLog) Subject(ctx context.Context, handle Handle, after uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var at uint32
		for first := true; ; first = false {
			if err := m.ready(ctx); err != nil {
				yield(Entry{}, err)
				return
			}
			m.mu.RLock()
			c, ok := m.subjects[handle]
			switch {
			case !ok: // dropped meanwhile
				m.mu.RUnlock()
				return
			case first:
				at = c.first
				// Whoever has read all but the newest entries need not walk to them.
				if uint64(c.last) < after {
					m.mu.RUnlock()
					return
				}
			default:
				at = m.entries[at].next
			}
			done := at == 0 && !first
			var e Entry
			if !done {
				e = m.entries[at].entry(at)
			}
			m.mu.RUnlock()
			if done {
				return
			}
			if e.Seq > after && !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memoryLog) Find(ctx context.Context, id string) (Entry, error) {
	if err := m.ready(ctx); err != nil {
		return Entry{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	at, ok := m.ids[id]
	if !ok {
		if len(id) < 2 || id[0] != 'e' || id[1] == '0' {
			return Entry{}, ErrNotFound
		}
		seq, err := strconv.ParseUint(id[1:], 10, 32)
		if err != nil || seq > uint64(len(m.entries)) || placeID(seq) != id {
			return Entry{}, ErrNotFound
		}
		at = uint32(seq) - 1
		if v, err := ParseEnvelope(m.entries[at].bytes[:m.entries[at].split]); err != nil || v.ID != id {
			return Entry{}, ErrNotFound
		}
	}
	return m.entries[at].entry(at), nil
}

// memoryKeys are behind a pointer like memoryStore.
type memoryKeys struct{ *keyRing }

type keyRing struct {
	mu         sync.RWMutex
	secret     Key
	keys       map[Tag]Key // the zero key: erased
	unfinished map[Tag]Erasure
	closed     bool
}

func (k *keyRing) ready(ctx context.Context) error {
	if k.closed {
		return ErrClosed
	}
	return ctx.Err()
}

func (k *keyRing) Secret(ctx context.Context) (Key, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.secret, k.ready(ctx)
}

func (k *keyRing) Get(ctx context.Context, tag Tag) (Key, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if err := k.ready(ctx); err != nil {
		return Key{}, err
	}
	switch key, ok := k.keys[tag]; {
	case !ok:
		return Key{}, ErrNoKey
	case key == Key{}:
		return Key{}, ErrErased
	default:
		return key, nil
	}
}

func (k *keyRing) Ensure(ctx context.Context, tags []Tag) ([]Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(ctx); err != nil {
		return nil, err
	}
	keys := make([]Key, len(tags))
	for i, tag := range tags {
		key, ok := k.keys[tag]
		if !ok {
			rand.Read(key[:]) //nolint:errcheck // never fails
			k.keys[tag] = key
		}
		keys[i] = key
	}
	return keys, nil
}

func (k *keyRing) Live(ctx context.Context) iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		k.mu.RLock()
		err := k.ready(ctx)
		live := make([]Key, 0, len(k.keys))
		for _, key := range k.keys {
			if key != (Key{}) {
				live = append(live, key)
			}
		}
		k.mu.RUnlock()
		if err != nil {
			yield(Key{}, err)
			return
		}
		for _, key := range live {
			if err := ctx.Err(); err != nil {
				yield(Key{}, err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

func (k *keyRing) Destroy(ctx context.Context, erasure Erasure) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(ctx); err != nil {
		return err
	}
	switch key, ok := k.keys[erasure.Tag]; {
	case !ok:
		return ErrNoKey
	case key == Key{}:
		return nil
	}
	k.keys[erasure.Tag] = Key{}
	k.unfinished[erasure.Tag] = erasure
	return nil
}

func (k *keyRing) Finish(ctx context.Context, tag Tag) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(ctx); err != nil {
		return err
	}
	delete(k.unfinished, tag)
	return nil
}

func (k *keyRing) Unfinished(ctx context.Context) ([]Erasure, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if err := k.ready(ctx); err != nil {
		return nil, err
	}
	list := make([]Erasure, 0, len(k.unfinished))
	for _, erasure := range k.unfinished {
		list = append(list, erasure)
	}
	return list, nil
}

func (k *keyRing) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return nil
}
