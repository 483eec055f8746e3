package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger"
)

// A log of some segments on a file system in memory, closed.
func someLog(t testing.TB, seed uint64) (*weak, *writer) {
	t.Helper()
	f := newWeak(seed)
	return f, fill(t, f)
}

func fill(t testing.TB, f *weak) *writer {
	t.Helper()
	ctx := t.Context()
	s, err := Open(ctx, "log", withFiles(f), WithSegmentSize(4<<10))
	require.NoError(t, err)
	w := &writer{subjects: 3, size: 60}
	for n := range 16 {
		require.NoError(t, w.append(ctx, s, 1+n%3))
	}
	require.NoError(t, s.Drop(ctx, handleOf(1)))
	require.Len(t, s.segments, 3)
	require.NoError(t, s.Close())
	return w
}

func files(f *weak) map[string][]byte {
	out := map[string][]byte{}
	for _, name := range f.Names("log") {
		out[name] = f.Get("log/" + name)
	}
	return out
}

// put makes the folder hold these files and no others.
func put(f *weak, all map[string][]byte) {
	for _, name := range f.Names("log") {
		f.Remove("log/" + name)
	}
	f.SyncDir()
	for name, data := range all {
		f.Put("log/"+name, data)
	}
}

// Each damage is found, and named: the file, the place, the entry, and what.
func TestDamageIsNamed(t *testing.T) {
	const one, two, three = "00000001.segment", "00000002.segment", "00000003.segment"
	f, w := someLog(t, 1)
	whole := files(f)
	require.Contains(t, whole, three)
	other := newWeak(2)
	fill(t, other)
	foreign := files(other)
	_, records := boundaries(t, whole[one])
	flip := func(name string, at int) func(map[string][]byte) {
		return func(m map[string][]byte) { m[name][at] ^= 0x10 }
	}
	tests := []struct {
		name   string
		damage func(map[string][]byte)
		want   []string
	}{
		{"a bit of an envelope", flip(one, records[2]+100), []string{one, fmt.Sprintf("byte %d", records[2]), "entry 3", "clear part was changed"}},
		{"a bit of a length", flip(one, records[2]+1), []string{one, fmt.Sprintf("byte %d", records[2]), "entry 3", "lengths"}},
		{"a bit of a sealed payload", flip(one, records[3]-1), []string{one, fmt.Sprintf("byte %d", records[2]), "entry 3", "sealed part was changed"}},
		{"a bit of a payload that was dropped", flip(one, records[1]-1), []string{one, fmt.Sprintf("byte %d", records[0]), "entry 1", "sealed part was changed"}},
		{"a bit of the last entry", func(m map[string][]byte) { m[three][len(m[three])-1] ^= 1 }, []string{three, "entry 31", "sealed part was changed"}},
		{"a bit of a segment's header", flip(two, 20), []string{two, "byte 0", "header was changed"}},
		{"the tail is cut inside an entry", func(m map[string][]byte) { m[three] = m[three][:len(m[three])-10] }, []string{three, "entry 31", "cut off"}},
		{"the tail is cut between calls", func(m map[string][]byte) {
			calls, _ := boundaries(t, m[three])
			m[three] = m[three][:calls[len(calls)-1]]
		}, []string{three, "entry 31", "the log was cut: 31 entries were recorded"}},
		{"the last segment is gone", func(m map[string][]byte) { delete(m, three) }, []string{two, "the log was cut: 31 entries"}},
		{"all segments are gone", func(m map[string][]byte) { delete(m, one); delete(m, two); delete(m, three) }, []string{"log", "entry 1", "the log was cut"}},
		{"a segment in the middle is gone", func(m map[string][]byte) { delete(m, two) }, []string{two, "missing"}},
		{"two segments are swapped", func(m map[string][]byte) { m[one], m[two] = m[two], m[one] }, []string{one, "it is segment 2 of the log", "swapped"}},
		{"a segment of another log", func(m map[string][]byte) { m[two] = foreign[two] }, []string{two, "belongs to another log"}},
		{"the whole log is another's", func(m map[string][]byte) { m[one], m[two], m[three] = foreign[one], foreign[two], foreign[three] }, []string{one, "belongs to another log"}},
		{"HEAD is gone", func(m map[string][]byte) { delete(m, headName) }, []string{headName, "missing"}},
		{"HEAD is another log's", func(m map[string][]byte) { m[headName] = foreign[headName] }, []string{one, "belongs to another log"}},
		{"HEAD is half another log's", func(m map[string][]byte) { copy(m[headName][headPage:], foreign[headName][headPage:]) }, []string{headName, "two logs"}},
		{"HEAD is rubbish", func(m map[string][]byte) { m[headName] = bytes.Repeat([]byte("x"), headSize) }, []string{headName, "no mark"}},
		{"an entry is repeated", func(m map[string][]byte) {
			calls, _ := boundaries(t, m[one])
			b := m[one]
			m[one] = slices.Concat(b[:calls[1]], b[calls[0]:calls[1]], b[calls[1]:])
		}, []string{one, "entry 2", "another entry is there"}},
		{"two calls are swapped", func(m map[string][]byte) {
			calls, _ := boundaries(t, m[two])
			b := m[two]
			m[two] = slices.Concat(b[:calls[1]], b[calls[2]:calls[3]], b[calls[1]:calls[2]], b[calls[3]:])
		}, []string{two, "another entry is there"}},
		{"a call is taken out", func(m map[string][]byte) {
			calls, _ := boundaries(t, m[three])
			b := m[three]
			m[three] = slices.Concat(b[:calls[0]], b[calls[1]:])
		}, []string{three, "another entry is there"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := clone(whole)
			tt.damage(m)
			put(f, m)
			for _, open := range []func(context.Context, string, ...Option) (*Store, error){Open, OpenReader} {
				_, err := open(t.Context(), "log", withFiles(f))
				require.ErrorIs(t, err, ErrDamaged)
				for _, text := range tt.want {
					assert.ErrorContains(t, err, text)
				}
				assert.ErrorContains(t, err, "put back a whole copy")
			}
			after := files(f)
			delete(after, lockName)
			delete(m, lockName)
			assert.Equal(t, m, after, "what is damaged is not changed")
		})
	}
	put(f, whole)
	s, err := Open(t.Context(), "log", withFiles(f))
	require.NoError(t, err, "the whole copy, put back")
	fate := newFates()
	fate.gone[handleOf(1)] = 31
	require.NoError(t, w.check(t.Context(), s, fate))
}

func clone(all map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for name, data := range all {
		out[name] = bytes.Clone(data)
	}
	return out
}

// boundaries lists where the calls of a segment begin, and where its records do, and
// the end of both.
func boundaries(t testing.TB, b []byte) (calls, records []int) {
	t.Helper()
	for at := segmentHead; at < len(b); {
		r, need, problem := parseRecord(b[at:])
		require.Empty(t, problem)
		require.Zero(t, need)
		if r.index == 0 {
			calls = append(calls, at)
		}
		records = append(records, at)
		at += int(r.size())
	}
	return calls, append(records, len(b))
}

// An older HEAD, with everything else as it is.
func TestRolledBackHead(t *testing.T) {
	ctx := t.Context()
	f := newWeak(1)
	w := &writer{subjects: 3, size: 20}
	open := func() *Store {
		s, err := Open(ctx, "log", withFiles(f))
		require.NoError(t, err)
		return s
	}
	s := open()
	require.NoError(t, w.append(ctx, s, 3))
	running := f.Get("log/HEAD")
	require.NoError(t, s.Close())
	closed := f.Get("log/HEAD")
	s = open()
	for range markEvery + 10 {
		require.NoError(t, w.append(ctx, s, 1))
	}
	require.NoError(t, s.Close())
	for name, tt := range map[string]struct {
		head []byte
		want string
	}{
		"of when the log was closed":   {closed, "it is older than the log, which was closed with 3 entries"},
		"of when it was being written": {running, "it is older than it can be: it knows of 3 entries"},
	} {
		f.Put("log/HEAD", tt.head)
		for _, open := range []func(context.Context, string, ...Option) (*Store, error){Open, OpenReader} {
			_, err := open(ctx, "log", withFiles(f))
			require.ErrorIs(t, err, ErrDamaged, name)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "HEAD")
		}
	}
	// The log and its HEAD from one older copy: only a head that was signed and kept
	// elsewhere shows that.
}

// Whatever bit is changed in a segment, the log does not open, or the end of the log was
// not acknowledged; and whatever bit in HEAD, it opens with all entries, or not.
func TestEveryBit(t *testing.T) {
	ctx := t.Context()
	f, w := someLog(t, 1)
	whole := files(f)
	fate := newFates()
	fate.gone[handleOf(1)] = 31
	step := 29
	if *long {
		step = 1
	}
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		if !strings.HasSuffix(name, ".segment") && name != headName {
			continue
		}
		for bit := 0; bit < 8*len(whole[name]); bit += step {
			if name == headName && bit/8%headPage >= 128 {
				continue // nothing is there
			}
			m := clone(map[string][]byte{name: whole[name]})
			m[name][bit/8] ^= 1 << (bit % 8)
			f.Put("log/"+name, m[name])
			s, err := OpenReader(ctx, "log", withFiles(f))
			if name != headName {
				require.Error(t, err, "%s: bit %d", name, bit)
			}
			if err != nil {
				require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrFormat), "%s: bit %d: %v", name, bit, err)
				continue
			}
			require.NoError(t, w.check(ctx, s, fate), "%s: bit %d", name, bit)
			s.Close()
		}
		f.Put("log/"+name, whole[name])
	}
}

// After a program was killed, what it had acknowledged is told from what it had not,
// though HEAD was not synced since.
func TestDamageAfterAKill(t *testing.T) {
	ctx := t.Context()
	f := newWeak(1)
	w := &writer{subjects: 3, size: 60}
	s, err := Open(ctx, "log", withFiles(f))
	require.NoError(t, err)
	for range 5 {
		require.NoError(t, w.append(ctx, s, 2))
	}
	const path = "log/00000001.segment"
	whole, head := f.Get(path), f.Get("log/HEAD")
	calls, records := boundaries(t, whole)
	for name, data := range map[string][]byte{
		"the last entry cut":    whole[:records[9]],
		"the last call cut":     whole[:calls[4]],
		"a bit of the last one": append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1),
	} {
		f.Put(path, data)
		_, err := Open(ctx, "log", withFiles(f))
		require.ErrorIs(t, err, ErrDamaged, name)
	}
	// What follows it was never acknowledged, whatever it is.
	half := appendRecord(bytes.Clone(whole), firstEntry(w, s), 0, 1)
	for name, data := range map[string][]byte{
		"half a call":       half,
		"half a record":     half[:len(half)-20],
		"rubbish":           append(bytes.Clone(whole), payloadOf(1, 500)...),
		"zeros":             append(bytes.Clone(whole), make([]byte, 500)...),
		"a single byte":     append(bytes.Clone(whole), 0),
		"nothing":           whole,
		"an old call's end": append(bytes.Clone(whole), whole[records[9]:]...),
	} {
		f.Put(path, data)
		s, err := Open(ctx, "log", withFiles(f))
		require.NoError(t, err, name)
		require.NoError(t, w.check(ctx, s, newFates()), name)
		require.Equal(t, whole, f.Get(path), "%s: it was removed", name)
		tail, err := s.Tail(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 10, tail.Size)
	}
	// After a loss of power the mark that was not synced may be gone. Of all but the last
	// call it is known that they were acknowledged: another followed.
	clear(head[2*headPage : 3*headPage])
	for n := range calls {
		data := bytes.Clone(whole)
		data[calls[n]+50] ^= 4
		f.Put(path, data)
		f.Put("log/HEAD", head)
		_, err := Open(ctx, "log", withFiles(f))
		if n < len(calls)-1 {
			require.ErrorIs(t, err, ErrDamaged, "call %d", n)
		} else {
			require.NoError(t, err)
		}
	}
}

func firstEntry(w *writer, s *Store) *ledger.Entry {
	entries, _ := w.entries(s.tail, 1)
	return &entries[0]
}

// Damage that comes while the log is open is found when the entry is read.
func TestDamageWhileOpen(t *testing.T) {
	ctx := t.Context()
	s := testStore(t)
	w := &writer{subjects: 1, size: 60}
	require.NoError(t, w.append(ctx, s, 5))
	path := s.segments[0].path
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[s.segments[0].offsets[2]+60] ^= 1
	require.NoError(t, os.WriteFile(path, b, 0o600))
	for what, err := range map[string]error{
		"all":     second(seqs(s.Entries(ctx, 0))),
		"subject": second(seqs(s.Subject(ctx, handleOf(0), 0))),
		"id":      second(s.Find(ctx, idOf(3))),
	} {
		require.ErrorIs(t, err, ErrDamaged, what)
		require.ErrorContains(t, err, "entry 3: the clear part was changed", what)
	}
	got, err := seqs(s.Entries(ctx, 3))
	require.NoError(t, err)
	assert.Equal(t, []uint64{4, 5}, got)
	_, err = OpenReader(ctx, filepath.Join(s.dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func second[T any](_ T, err error) error { return err }

// Whatever bit is changed in a file of keys that was closed, it is found, or no key is
// another one.
func TestEveryBitOfKeys(t *testing.T) {
	ctx := t.Context()
	f := newWeak(1)
	k, err := openKeys(ctx, "keys", f, true)
	require.NoError(t, err)
	var tags []ledger.Tag
	for n := range 6 {
		tags = append(tags, ledger.Tag(handleOf(n)))
	}
	keys, err := k.Ensure(ctx, tags)
	require.NoError(t, err)
	erasure := ledger.Erasure{Tag: tags[1], Handle: handleOf(9), Count: 3, At: at, Known: at, Why: ledger.OnOrder}
	require.NoError(t, k.Destroy(ctx, erasure))
	require.NoError(t, k.Destroy(ctx, ledger.Erasure{Tag: tags[2], At: at}))
	require.NoError(t, k.Finish(ctx, tags[2]))
	secret, err := k.Secret(ctx)
	require.NoError(t, err)
	require.NoError(t, k.Close())
	whole := f.Get("keys")
	found := 0
	for bit := range 8 * len(whole) {
		if at := bit / 8; at < keysStart && at%1024 >= keysHead {
			continue // nothing is there
		}
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		f.Put("keys", b)
		k, err := openKeys(ctx, "keys", f, false)
		if err != nil {
			require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrFormat), "bit %d: %v", bit, err)
			found++
			continue
		}
		got, err := k.Secret(ctx)
		require.NoError(t, err)
		require.Equal(t, secret, got)
		for i, tag := range tags {
			key, err := k.Get(ctx, tag)
			if i == 1 || i == 2 {
				require.ErrorIs(t, err, ledger.ErrErased, "bit %d", bit)
				continue
			}
			require.NoError(t, err, "bit %d", bit)
			require.Equal(t, keys[i], key, "bit %d", bit)
		}
		open, err := k.Unfinished(ctx)
		require.NoError(t, err)
		require.Equal(t, []ledger.Erasure{erasure}, open, "bit %d", bit)
	}
	assert.Greater(t, found, 8*(keysHead+4*(slotRest+3)+slotSize-40), "the secret, and every tag, state and key")
	for n := 1; n < len(whole); n++ {
		f.Put("keys", whole[:n])
		_, err := openKeys(ctx, "keys", f, false)
		require.Error(t, err, "cut to %d bytes", n)
	}
}
