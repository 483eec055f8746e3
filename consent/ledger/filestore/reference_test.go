package filestore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// A log is read by docs/ledger.md alone, with none of the code of this package: so that
// the page is right, and stays so.
func TestFormat(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	l, err := OpenLedger(ctx, dir, WithSegmentSize(4<<10))
	require.NoError(t, err)
	const subjects = 5
	for n := range 40 {
		var events []ledger.Event
		for i := range 1 + n%3 {
			ev := ledger.Granted(fmt.Sprintf("p1_1_%d", (n+i)%subjects), consent.Scope{Purpose: "newsletter"}, at)
			ev.ID = fmt.Sprintf("e-%d-%d", n, i)
			events = append(events, ev)
		}
		_, err := l.Append(ctx, events...)
		require.NoError(t, err)
	}
	_, err = l.Erase(ctx, "p1_1_2", at, ledger.OnRequest)
	require.NoError(t, err)
	want, err := l.Head(ctx)
	require.NoError(t, err)
	report, err := l.Verify(ctx, ledger.Checks{})
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	require.NoError(t, l.Close())
	// An erasure that is under way.
	k, err := OpenKeys(ctx, filepath.Join(dir, "keys"))
	require.NoError(t, err)
	under := ledger.Tag{0: 1}
	_, err = k.Ensure(ctx, []ledger.Tag{under})
	require.NoError(t, err)
	erasure := ledger.Erasure{Tag: under, Handle: handleOf(3), Count: 7, At: at, Known: at.Add(5), Why: ledger.OnOrder}
	require.NoError(t, k.Destroy(ctx, erasure))
	require.NoError(t, k.Close())

	u32, u64 := binary.BigEndian.Uint32, binary.BigEndian.Uint64
	crc := func(parts ...[]byte) (c uint32) {
		for _, p := range parts {
			c = crc32.Update(c, crc32.MakeTable(0x82f63b78), p)
		}
		return c
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return b
	}
	zeros := make([]byte, 4096)

	head := read("HEAD")
	require.Len(t, head, 4*4096)
	best := 0
	for page := range 3 {
		m := head[page*4096:]
		require.Equal(t, "PRVTHED\x01", string(m[:8]))
		require.Equal(t, crc(m[:80]), u32(m[80:]))
		if u64(m[24:]) > u64(head[best+24:]) {
			best = page * 4096
		}
	}
	m := head[best:]
	id := m[8:24]
	require.EqualValues(t, 1, u64(m[32:]), "closed")
	require.Equal(t, want.Seq, u64(m[40:]))
	require.Equal(t, want.Last[:], m[48:80])
	require.Equal(t, zeros, head[3*4096:], "no drop is under way")

	var tail ledger.Tail
	bare, dropped, segments := 0, 0, 0
	for number := uint64(1); ; number++ {
		name := fmt.Sprintf("%08d.segment", number)
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			break
		}
		segments++
		b := read(name)
		require.Equal(t, "PRVTLOG\x01", string(b[:8]))
		require.Equal(t, id, b[8:24])
		require.Equal(t, number, u64(b[24:]))
		require.Equal(t, tail.Size+1, u64(b[32:]))
		require.Equal(t, tail.Last[:], b[40:72])
		require.Equal(t, crc(b[:72]), u32(b[72:]))
		b = b[76:]
		before := uint32(0)
		for len(b) > 0 {
			e, s := u32(b), u32(b[4:])
			require.Equal(t, before, u32(b[8:]))
			before++
			if u32(b[12:]) == 0 {
				before = 0
			}
			envelope := b[20 : 20+e]
			require.Equal(t, crc(b[:16], envelope), u32(b[16:]))
			handle, check, sealed := b[20+e:36+e], b[36+e:40+e], b[40+e:40+e+s]
			require.Equal(t, crc(handle, sealed), u32(check))
			if string(handle) == string(zeros[:16]) {
				if s == 0 {
					bare++
				} else {
					dropped++
				}
				require.Equal(t, zeros[:s], sealed)
			}
			env, err := ledger.ParseEnvelope(envelope)
			require.NoError(t, err)
			require.Equal(t, tail.Size+1, env.Seq)
			require.Equal(t, tail.Last, env.Prev)
			entry := ledger.Entry{Envelope: envelope}
			tail = tail.Add(entry.Hash())
			b = b[40+e+s:]
		}
		require.Zero(t, before, "the last call is whole")
	}
	require.Greater(t, segments, 2)
	require.Equal(t, want, tail.Head())
	require.Equal(t, 1, bare, "the erasure itself")
	require.EqualValues(t, report.Erased, dropped)

	keys := read("keys")
	require.Equal(t, "PRVTKEY\x01", string(keys[:8]))
	require.Equal(t, id, keys[8:24])
	require.NotEqual(t, zeros[:32], keys[24:56])
	require.Equal(t, crc(keys[:56]), u32(keys[56:]))
	slots := uint64(0)
	for _, at := range []int{1024, 2048, 3072} {
		m := keys[at:]
		if string(m[:8]) == "PRVTKMK\x01" {
			require.Equal(t, crc(m[:24]), u32(m[24:]))
			slots = max(slots, u64(m[16:]))
		}
	}
	require.EqualValues(t, subjects+1, slots)
	require.Len(t, keys, 4096+128*(subjects+1))
	states := map[byte]int{}
	for b := keys[4096:]; len(b) > 0; b = b[128:] {
		states[b[0]]++
		require.Equal(t, zeros[:3], b[1:4])
		require.Equal(t, crc(b[8:24]), u32(b[4:]))
		switch b[0] {
		case 0x33:
			require.Equal(t, crc(b[8:56]), u32(b[56:]))
			require.NotEqual(t, zeros[:32], b[24:56])
		case 0x55:
			require.Equal(t, zeros[:40], b[24:64])
			require.Equal(t, erasure.Handle[:], b[64:80])
			require.EqualValues(t, 7, u64(b[80:]))
			require.EqualValues(t, at.Unix(), u64(b[88:]))
			require.EqualValues(t, 5, u32(b[108:]))
			require.EqualValues(t, ledger.OnOrder, b[112])
			require.EqualValues(t, 3, b[113])
			require.Equal(t, crc(b[8:24], b[64:124]), u32(b[124:]))
		case 0x66:
			require.Equal(t, zeros[:104], b[24:128])
		}
	}
	require.Equal(t, map[byte]int{0x33: subjects - 1, 0x55: 1, 0x66: 1}, states)
}
