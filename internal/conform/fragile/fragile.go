// Package fragile is a file system in memory that loses its power. It counts what is
// done to it; at a chosen step the power fails: that step happens in part, nothing
// works after it, and what [FS.Reboot] gives back has of everything that was not
// synced some, or nothing. Names and contents are kept apart, as in a real one:
// syncing a file does not make its name durable.
//
// It is for tests of packages that promise to lose nothing. Each of them adapts it to
// the interface that it asks of a file system.
package fragile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
)

// ErrPower is what every call returns after the power failed.
var ErrPower = errors.New("the power failed")

// An FS is a fragile file system. Its fields are set while nobody uses it. Its methods
// are safe for concurrent use.
type FS struct {
	Random *rand.Rand
	FailAt int  // steps until the power fails; 0 for never
	Failed bool // the power is off

	// Mistakes to plant: calls that say that they synced and did not.
	NoSync, NoSyncDir bool

	mu    sync.Mutex
	names map[string]*node // as programs see them
	kept  map[string]*node // as they are on the disk
	moves []move           // changes of names since the last SyncDir
}

// A node is a file without its name.
type node struct {
	data, kept []byte
	changes    []change // since the last sync
}

// A change is a write, or a cut to the length at if cut is set.
type change struct {
	at   int
	data []byte
	cut  bool
}

type move struct {
	from, to string // from "" makes, to "" removes
	node     *node
}

// New returns an empty file system. Equal seeds fail alike.
func New(seed uint64) *FS {
	return &FS{Random: rand.New(rand.NewPCG(seed, 1)), names: map[string]*node{}, kept: map[string]*node{}}
}

// step counts, and reports whether the power fails in this step.
func (f *FS) step() (fails bool, err error) {
	if f.Failed {
		return false, ErrPower
	}
	if f.FailAt > 0 {
		f.FailAt--
		f.Failed = f.FailAt == 0
	}
	return f.Failed, nil
}

// Off reports whether the power failed.
func (f *FS) Off() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Failed
}

// Up returns ErrPower when the power is off, for calls that change nothing.
func (f *FS) Up() error {
	if f.Off() {
		return ErrPower
	}
	return nil
}

// Get returns a copy of what a file holds, nil if there is none; it needs no power.
func (f *FS) Get(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.names[name]; n != nil {
		return append([]byte{}, n.data...)
	}
	return nil
}

// Put makes or replaces a file, durably, without a step: what happened while the
// program did not run.
func (f *FS) Put(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := &node{data: bytes.Clone(data), kept: bytes.Clone(data)}
	f.names[name], f.kept[name] = n, n
}

// Names lists the files of a folder, sorted, without the folder.
func (f *FS) Names(folder string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name := range f.names {
		if filepath.Dir(name) == filepath.Clean(folder) {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names
}

// A File is an open file. Writes append to it, as if it had been opened for that.
type File struct {
	f *FS
	n *node
}

// Create makes a file under a name that is not taken.
func (f *FS) Create(name string) (*File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fails, err := f.step()
	if err != nil {
		return nil, err
	}
	if f.names[name] != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	}
	n := new(node)
	f.names[name] = n
	f.moves = append(f.moves, move{"", name, n})
	if fails {
		return nil, ErrPower
	}
	return &File{f, n}, nil
}

// Open opens a file that is there. It is no step: it changes nothing.
func (f *FS) Open(name string) (*File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Failed {
		return nil, ErrPower
	}
	n := f.names[name]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &File{f, n}, nil
}

// Rename gives a file another name, in place of what had it.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	fails, err := f.step()
	if err != nil {
		return err
	}
	n := f.names[from]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(f.names, from)
	f.names[to] = n
	f.moves = append(f.moves, move{from, to, n})
	if fails {
		return ErrPower
	}
	return nil
}

// Remove takes a name away.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	fails, err := f.step()
	if err != nil {
		return err
	}
	if f.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(f.names, name)
	f.moves = append(f.moves, move{name, "", nil})
	if fails {
		return ErrPower
	}
	return nil
}

// SyncDir makes all names durable.
func (f *FS) SyncDir() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	fails, err := f.step()
	if err != nil {
		return err
	}
	if fails {
		return ErrPower
	}
	if !f.NoSyncDir {
		f.kept, f.moves = maps.Clone(f.names), nil
	}
	return nil
}

func (n *node) apply(c change) { n.data = c.apply(n.data) }

func (c change) apply(data []byte) []byte {
	if c.cut {
		if len(data) > c.at {
			return data[:c.at:c.at]
		}
		return append(data, make([]byte, c.at-len(data))...)
	}
	if end := c.at + len(c.data); end > len(data) {
		data = append(data, make([]byte, end-len(data))...)
	}
	copy(data[c.at:], c.data)
	return data
}

// write does a change, or when the power fails in it the beginning of it.
func (w *File) write(c change) (int, error) {
	fails, err := w.f.step()
	if err != nil {
		return 0, err
	}
	if fails {
		if c.cut {
			return 0, ErrPower
		}
		c.data = c.data[:w.f.Random.IntN(len(c.data)+1)]
	}
	c.data = bytes.Clone(c.data)
	w.n.apply(c)
	w.n.changes = append(w.n.changes, c)
	if fails {
		return len(c.data), ErrPower
	}
	return len(c.data), nil
}

// Write appends.
func (w *File) Write(b []byte) (int, error) {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	return w.write(change{at: len(w.n.data), data: b})
}

// WriteAt writes in place, or behind the end with zeros between.
func (w *File) WriteAt(b []byte, at int64) (int, error) {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	return w.write(change{at: int(at), data: b})
}

// Truncate cuts the file, or makes it longer with zeros.
func (w *File) Truncate(size int64) error {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	_, err := w.write(change{at: int(size), cut: true})
	return err
}

// ReadAt reads what programs see, synced or not.
func (w *File) ReadAt(b []byte, at int64) (int, error) {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	if w.f.Failed {
		return 0, ErrPower
	}
	if at >= int64(len(w.n.data)) {
		return 0, io.EOF
	}
	n := copy(b, w.n.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Size is how long the file is.
func (w *File) Size() (int64, error) {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	if w.f.Failed {
		return 0, ErrPower
	}
	return int64(len(w.n.data)), nil
}

// Sync makes the content durable.
func (w *File) Sync() error {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	fails, err := w.f.step()
	if err != nil {
		return err
	}
	if fails {
		return ErrPower // a reboot keeps some of it
	}
	if !w.f.NoSync {
		w.n.kept, w.n.changes = bytes.Clone(w.n.data), nil
	}
	return nil
}

// Close ends the use of the file; it syncs nothing.
func (w *File) Close() error {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	_, err := w.f.step()
	return err
}

// Reboot makes a file system of what is on the disk: everything that was synced; of the
// names changed since, the first few or none; and of what was written since, nothing,
// the first writes with the last of them torn, blocks of it in any choice, or the first
// writes with rubbish where the file became longer.
func (f *FS) Reboot() {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := maps.Clone(f.kept)
	keep := 0
	if f.Random.IntN(2) == 0 {
		keep = f.Random.IntN(len(f.moves) + 1)
	}
	for _, m := range f.moves[:keep] {
		delete(names, m.from)
		if m.to != "" {
			names[m.to] = m.node
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		data := f.survivor(names[name])
		names[name] = &node{data: data, kept: bytes.Clone(data)}
	}
	f.names, f.kept, f.moves, f.Failed, f.FailAt = names, maps.Clone(names), nil, false, 0
}

// survivor is what is left of a file.
func (f *FS) survivor(n *node) []byte {
	data := bytes.Clone(n.kept)
	if len(n.changes) == 0 {
		return data
	}
	how := f.Random.IntN(4)
	switch how {
	case 1, 3:
		some := f.Random.IntN(len(n.changes))
		for _, c := range n.changes[:some] {
			data = c.apply(data)
		}
		if c := n.changes[some]; !c.cut {
			c.data = c.data[:f.Random.IntN(len(c.data)+1)]
			data = c.apply(data)
		}
		for i := len(n.kept); how == 3 && i < len(data); i++ {
			if f.Random.IntN(16) == 0 {
				data[i] = byte(f.Random.Uint32())
			}
		}
	case 2:
		const block = 64
		old := data
		data = make([]byte, len(n.data))
		copy(data, old)
		for i := 0; i < len(data); i += block {
			if end := min(i+block, len(data)); f.Random.IntN(2) == 0 {
				copy(data[i:end], n.data[i:end])
			}
		}
	}
	return data
}
