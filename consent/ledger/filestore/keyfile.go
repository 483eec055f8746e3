package filestore

import (
	"context"
	"encoding/binary"
)

// Of the keys, what reads and writes their file.

// lock keeps other programs from writing.
func (k *Keys) lock(ctx context.Context) (unlock func(), err error) {
	type got struct {
		unlock func()
		err    error
	}
	c := make(chan got, 1)
	go func() {
		unlock, err := k.files.lock(k.path + ".lock")
		c <- got{unlock, err}
	}()
	select {
	case g := <-c:
		if g.err != nil {
			return nil, fileError(k.path+".lock", "locking", g.err)
		}
		return g.unlock, nil
	case <-ctx.Done():
		go func() { // the lock that comes late is given back
			if g := <-c; g.err == nil {
				g.unlock()
			}
		}()
		return nil, ctx.Err()
	}
}

// keyMarks are what the marks of a file say.
type keyMarks struct {
	sure   uint32 // slots that are durable
	synced uint32 // the same by the synced marks alone
	gen    uint64 // the latest generation
	page   int    // of the latest synced mark: 1 or 2
}

func (k *Keys) marks() (m keyMarks, err error) {
	b := make([]byte, keysStart)
	n, err := readFull(k.file, b, 0)
	if err != nil {
		return m, fileError(k.path, "reading", err)
	}
	m.page = 2
	var latest uint64
	for i := 1; i <= 3 && i*1024+keyMarkSize <= n; i++ {
		b := b[i*1024:][:keyMarkSize]
		if string(b[:8]) != keyMark || !whole(b) {
			continue
		}
		gen, slots := binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
		if slots > maxEntries {
			return m, damaged(k.path, int64(i*1024), 0, "it names more slots than there can be")
		}
		m.gen, m.sure = max(m.gen, gen), max(m.sure, uint32(slots))
		if i < 3 {
			m.synced = max(m.synced, uint32(slots))
			if gen > latest {
				latest, m.page = gen, i
			}
		}
	}
	return m, nil
}

func encodeKeyMark(gen uint64, slots uint32) []byte {
	b := append(make([]byte, 0, keyMarkSize), keyMark...)
	b = binary.BigEndian.AppendUint64(b, gen)
	b = binary.BigEndian.AppendUint64(b, uint64(slots))
	return sealSum(b, 0)
}

func place(n uint32) int64 { return keysStart + int64(n)*slotSize }

// takeUp enters the slots that are not in the table. With the lock those of programs
// that were killed are made durable; without it only what is durable is taken up. Who
// calls has the turn, or is alone.
func (k *Keys) takeUp(ctx context.Context, locked bool) error {
	size, err := k.file.Size()
	if err != nil {
		return fileError(k.path, "asking for the size", err)
	}
	m, err := k.marks()
	if err != nil {
		return err
	}
	sure := m.sure
	there := (max(size, keysStart) - keysStart + slotSize - 1) / slotSize
	if there > maxEntries {
		return damaged(k.path, -1, 0, "the file is longer than it can be")
	}
	if there < int64(sure) || size < place(sure) {
		return damaged(k.path, size, 0, "the file was cut: there were more keys")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.marked = m
	end := sure
	if locked {
		end = uint32(there)
	}
	if end <= k.count {
		return nil
	}
	w := newWindow(k.file, place(k.count), place(end), 1<<18)
	again := end > sure // slots that may not be durable
	for n := k.count; n < end; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		b, err := w.peek(slotSize)
		if err != nil {
			return fileError(k.path, "reading", err)
		}
		s := make(slot, slotSize)
		copy(s, b)
		w.take(int64(len(b)))
		problem := s.problem()
		if len(b) < slotSize && problem == "" && s[0] != slotVoid {
			problem = "the slot is cut off"
		}
		switch {
		case problem != "" && n < sure:
			return damaged(k.path, place(n), 0, problem)
		case problem != "":
			// Torn, and never given to anybody. The bytes stay, as void.
			s[0] = slotVoid
		case s[0] == slotDying && locked && !zero(s[slotKey:slotRest+4]):
			if err := k.kill(n); err != nil {
				return err
			}
		case s[0] == slotGone && locked && !zero(s[slotEras:]):
			if err := k.forget(n); err != nil {
				return err
			}
		}
		if n >= sure {
			if _, err := k.file.WriteAt(s, place(n)); err != nil {
				return fileError(k.path, "writing", err)
			}
		}
		if s[0] != slotVoid {
			k.index.add(k.index.hash(s[slotTag:slotKey]), n+1)
		}
		k.count = n + 1
	}
	if again {
		return k.sync(k.count)
	}
	return nil
}

// sync makes everything that was written durable, and marks the slots.
func (k *Keys) sync(slots uint32) error {
	if err := k.file.Sync(); err != nil {
		return k.stop(err)
	}
	// That this mark fails does no harm: the next sync makes another.
	k.marked.gen++
	k.file.WriteAt(encodeKeyMark(k.marked.gen, slots), 3*1024)
	return nil
}

func (k *Keys) stop(err error) error {
	k.broken = &FileError{k.path, -1, 0, "an earlier write failed", "open the file again", err}
	return fileError(k.path, "syncing", err)
}

// write is a durable write into a slot.
func (k *Keys) write(n uint32, at int64, b []byte) error {
	if _, err := k.file.WriteAt(b, place(n)+at); err != nil {
		return fileError(k.path, "writing", err)
	}
	if err := k.file.Sync(); err != nil {
		return k.stop(err)
	}
	return nil
}

// kill makes a slot dying for good, and then destroys the key.
func (k *Keys) kill(n uint32) error {
	if err := k.write(n, 0, []byte{slotDying}); err != nil {
		return err
	}
	return k.write(n, slotKey, zeros[:slotRest+4-slotKey])
}

// forget makes a slot gone for good, and then destroys what was noted of the erasure.
func (k *Keys) forget(n uint32) error {
	if err := k.write(n, 0, []byte{slotGone}); err != nil {
		return err
	}
	return k.write(n, slotEras, zeros[:slotSize-slotEras])
}
