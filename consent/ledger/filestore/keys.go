package filestore

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"iter"
	"sync"

	"github.com/privetdev/privet/consent/ledger"
)

// Keys are the keys of subjects in a file, of which a process holds no more than where
// they are. Several programs of one machine may use a file at the same time. They are
// safe for concurrent use.
//
// The keys lie in the file as they are. Whoever can read it can read the payloads: it
// is only its owner's to read, and its disk should be encrypted.
type Keys struct {
	path  string
	files fileSystem
	file  file
	id    logID

	turn   chan struct{} // held by who writes
	broken error         // after which nothing is written

	mu     sync.RWMutex // guards what follows; who changes it has the turn, too
	closed bool
	count  uint32 // slots in the table
	index  *table
	marked keyMarks
}

var _ ledger.Keys = (*Keys)(nil)

// OpenKeys opens a file of keys, or makes one. Only its owner may be able to read it
// ([ErrPermissions]).
func OpenKeys(ctx context.Context, path string) (*Keys, error) {
	return openKeys(ctx, path, disk{}, true)
}

func openKeys(ctx context.Context, path string, files fileSystem, create bool) (*Keys, error) {
	k := &Keys{path: path, files: files, turn: make(chan struct{}, 1), index: newTable()}
	unlock, err := k.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	k.file, err = files.open(path, true)
	if create && errors.Is(err, fs.ErrNotExist) {
		k.file, err = createWhole(files, path, newKeysFile())
	}
	if err != nil {
		return nil, fileError(path, "opening", err)
	}
	if err = k.load(ctx); err != nil {
		k.file.Close()
		return nil, err
	}
	return k, nil
}

func newKeysFile() []byte {
	b := append(make([]byte, 0, keysStart), keysMagic...)
	b = b[:keysHead-4]
	rand.Read(b[8:])
	b = sealSum(b, 0)
	return b[:keysStart]
}

// load reads the whole file under the lock, and finishes what was cut off.
func (k *Keys) load(ctx context.Context) error {
	if private, err := k.files.private(k.path); err != nil {
		return fileError(k.path, "opening", err)
	} else if !private {
		return &FileError{k.path, -1, 0, "others may read or write it", "let only its owner: chmod 600", ErrPermissions}
	}
	b := make([]byte, keysHead)
	n, err := readFull(k.file, b, 0)
	switch {
	case err != nil:
		return fileError(k.path, "reading", err)
	case later(b[:n], keysMagic):
		return &FileError{k.path, 0, 0, "was written by a later version", "use that one, or a newer", ErrFormat}
	case n < keysHead || string(b[:magicKind]) != keysMagic[:magicKind]:
		return &FileError{k.path, 0, 0, "is no file of keys", "is it the right file?", ErrFormat}
	case !whole(b):
		return damaged(k.path, 0, 0, "its header was changed")
	}
	copy(k.id[:], b[8:])
	return k.takeUp(ctx, true)
}

// usable says why nothing can be done.
func (k *Keys) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.closed {
		return ledger.ErrClosed
	}
	return nil
}

// change does something with the lock, when everything that others wrote is taken up.
func (k *Keys) change(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-k.turn }()
	if err := k.usable(ctx); err != nil {
		return err
	}
	if k.broken != nil {
		return k.broken
	}
	unlock, err := k.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := k.takeUp(ctx, true); err != nil {
		return err
	}
	return do()
}

// Secret implements ledger.Keys.
func (k *Keys) Secret(ctx context.Context) (ledger.Key, error) {
	if err := k.usable(ctx); err != nil {
		return ledger.Key{}, err
	}
	b := make([]byte, keysHead)
	if _, err := readFull(k.file, b, 0); err != nil {
		return ledger.Key{}, fileError(k.path, "reading", err)
	}
	if !whole(b) {
		return ledger.Key{}, damaged(k.path, 0, 0, "its header was changed")
	}
	return ledger.Key(b[24:56]), nil
}

// Get implements ledger.Keys.
func (k *Keys) Get(ctx context.Context, tag ledger.Tag) (ledger.Key, error) {
	if err := k.usable(ctx); err != nil {
		return ledger.Key{}, err
	}
	s, _, err := k.find(ctx, tag)
	if errors.Is(err, ledger.ErrNoKey) {
		// Another program may have made it.
		if err = k.look(ctx); err == nil {
			s, _, err = k.find(ctx, tag)
		}
	}
	if err != nil {
		return ledger.Key{}, err
	}
	return s.key()
}

// key is that of a live slot, of which it leaves nothing.
func (b slot) key() (ledger.Key, error) {
	if b[0] != slotLive {
		return ledger.Key{}, ledger.ErrErased
	}
	defer clear(b)
	return ledger.Key(b[slotKey:slotRest]), nil
}

// look takes up what others made durable.
func (k *Keys) look(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-k.turn }()
	if err := k.usable(ctx); err != nil {
		return err
	}
	return k.takeUp(ctx, false)
}

// find gives the slot of a tag, and its number.
func (k *Keys) find(ctx context.Context, tag ledger.Tag) (s slot, number uint32, err error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.closed {
		return nil, 0, ledger.ErrClosed
	}
	err = ledger.ErrNoKey
	k.index.all(k.index.hash(tag[:]), func(n uint32) bool {
		b, problem := k.slot(n - 1)
		switch {
		case problem != nil:
			err = problem
		case b.tag() == tag:
			s, number, err = b, n-1, nil
		default:
			return true
		}
		return false
	})
	return s, number, err
}

// slot reads one. A program that is writing into it may be seen half-way, so it is
// read again.
func (k *Keys) slot(n uint32) (slot, error) {
	b := make(slot, slotSize)
	for tries := 0; ; tries++ {
		if _, err := readFull(k.file, b, place(n)); err != nil {
			return nil, fileError(k.path, "reading", err)
		}
		problem := b.problem()
		if problem == "" {
			return b, nil
		}
		if tries == 20 {
			return nil, damaged(k.path, place(n), 0, problem)
		}
	}
}

// Ensure implements ledger.Keys: one write and one sync for all keys that are missing.
func (k *Keys) Ensure(ctx context.Context, tags []ledger.Tag) ([]ledger.Key, error) {
	if err := k.usable(ctx); err != nil {
		return nil, err
	}
	keys := make([]ledger.Key, len(tags))
	missing, err := k.known(ctx, tags, keys)
	if err != nil || len(missing) == 0 {
		return keys, err
	}
	err = k.change(ctx, func() error {
		missing, err := k.known(ctx, tags, keys)
		if err != nil || len(missing) == 0 {
			return err
		}
		made := map[ledger.Tag]ledger.Key{}
		var fresh []ledger.Tag
		var buf []byte
		for _, i := range missing {
			if _, ok := made[tags[i]]; !ok {
				var key ledger.Key
				rand.Read(key[:])
				made[tags[i]] = key
				fresh = append(fresh, tags[i])
				buf = append(buf, newSlot(tags[i], &key)...)
			}
			keys[i] = made[tags[i]]
		}
		defer clear(buf)
		return k.extend(fresh, buf)
	})
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// known fills in the keys that are there, and lists the tags that have none. That of a
// subject who was erased is the zero key.
func (k *Keys) known(ctx context.Context, tags []ledger.Tag, keys []ledger.Key) (missing []int, err error) {
	for i, tag := range tags {
		s, _, err := k.find(ctx, tag)
		if errors.Is(err, ledger.ErrNoKey) {
			missing = append(missing, i)
			continue
		}
		if err != nil {
			return nil, err
		}
		if keys[i], err = s.key(); err != nil && !errors.Is(err, ledger.ErrErased) {
			return nil, err
		}
	}
	return missing, nil
}

// extend adds slots, and with them the mark of those that were there.
func (k *Keys) extend(tags []ledger.Tag, slots []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if int64(k.count)+int64(len(tags)) > maxEntries {
		return ErrFull
	}
	if _, err := k.file.WriteAt(slots, place(k.count)); err != nil {
		if cut := k.file.Truncate(place(k.count)); cut != nil {
			return k.stop(errors.Join(err, cut))
		}
		return fileError(k.path, "writing", err)
	}
	if err := k.mark(); err != nil {
		return k.stop(err)
	}
	if err := k.sync(k.count + uint32(len(tags))); err != nil {
		return err
	}
	for _, tag := range tags {
		k.count++
		k.index.add(k.index.hash(tag[:]), k.count)
	}
	return nil
}

// mark writes, for the next sync, how many slots are durable already.
func (k *Keys) mark() error {
	k.marked.gen++
	k.marked.page = 3 - k.marked.page
	k.marked.synced = k.count
	_, err := k.file.WriteAt(encodeKeyMark(k.marked.gen, k.count), int64(k.marked.page*1024))
	return err
}

// Live implements ledger.Keys.
func (k *Keys) Live(ctx context.Context) iter.Seq2[ledger.Key, error] {
	return func(yield func(ledger.Key, error) bool) {
		for s, err := range k.slots(ctx) {
			if err != nil {
				yield(ledger.Key{}, err)
				return
			}
			if s[0] == slotLive && !yield(ledger.Key(s[slotKey:slotRest]), nil) {
				return
			}
		}
	}
}

// slots gives all of them.
func (k *Keys) slots(ctx context.Context) iter.Seq2[slot, error] {
	return func(yield func(slot, error) bool) {
		if err := k.usable(ctx); err != nil {
			yield(nil, err)
			return
		}
		if err := k.look(ctx); err != nil {
			yield(nil, err)
			return
		}
		k.mu.RLock()
		count := k.count
		k.mu.RUnlock()
		buf := make([]byte, 512*slotSize)
		defer clear(buf)
		for n := uint32(0); n < count; {
			if err := k.usable(ctx); err != nil {
				yield(nil, err)
				return
			}
			part := buf[:min(int64(len(buf)), place(count)-place(n))]
			if _, err := readFull(k.file, part, place(n)); err != nil {
				yield(nil, fileError(k.path, "reading", err))
				return
			}
			for ; len(part) > 0; part = part[slotSize:] {
				s := slot(part[:slotSize])
				if s.problem() != "" {
					var err error
					if s, err = k.slot(n); err != nil {
						yield(nil, err)
						return
					}
				}
				if !yield(s, nil) {
					return
				}
				n++
			}
		}
	}
}

// Destroy implements ledger.Keys. What is noted of the erasure is durable before the
// state of the slot is changed, and that before the key is overwritten: wherever it is
// cut off, the subject has a key or is erased.
func (k *Keys) Destroy(ctx context.Context, erasure ledger.Erasure) error {
	return k.change(ctx, func() error {
		s, n, err := k.find(ctx, erasure.Tag)
		if err != nil {
			return err
		}
		switch s[0] {
		case slotGone:
			return nil
		case slotLive:
			s.setErasure(&erasure)
			defer clear(s)
			if err := k.write(n, slotEras, s[slotEras:]); err != nil {
				return err
			}
		}
		return k.kill(n)
	})
}

// Finish implements ledger.Keys.
func (k *Keys) Finish(ctx context.Context, tag ledger.Tag) error {
	return k.change(ctx, func() error {
		s, n, err := k.find(ctx, tag)
		switch {
		case errors.Is(err, ledger.ErrNoKey) || err == nil && s[0] == slotLive:
			return nil // nothing was begun
		case err != nil:
			return err
		}
		return k.forget(n)
	})
}

// Unfinished implements ledger.Keys.
func (k *Keys) Unfinished(ctx context.Context) ([]ledger.Erasure, error) {
	var out []ledger.Erasure
	for s, err := range k.slots(ctx) {
		if err != nil {
			return nil, err
		}
		if s[0] == slotDying {
			out = append(out, s.erasure())
		}
	}
	return out, nil
}

// Close ends the use of the keys.
func (k *Keys) Close() error {
	if err := k.usable(context.Background()); err != nil {
		return nil // closed already
	}
	var err error
	k.mu.RLock()
	behind := k.marked.synced < k.count
	k.mu.RUnlock()
	if behind {
		// All slots are marked, so that a later damage of any is noticed.
		err = k.change(context.Background(), k.settle)
	}
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	if e := k.file.Close(); err == nil && e != nil {
		err = fileError(k.path, "closing", e)
	}
	return err
}

func (k *Keys) settle() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.mark(); err != nil {
		return fileError(k.path, "writing", err)
	}
	return k.sync(k.count)
}
