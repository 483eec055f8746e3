package sqlstore_test

import (
	"bytes"
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/filestore"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// ledgerAt is a ledger as a process of its own would have it: its own pool, and the
// keys of all of them in one file.
func ledgerAt(t testing.TB, dsn, keys string) *ledger.Ledger {
	t.Helper()
	k, err := filestore.OpenKeys(ctx, keys)
	require.NoError(t, err)
	s, err := sqlstore.OpenDSN(ctx, dsn)
	require.NoError(t, err)
	l, err := ledger.New(ctx, s, k)
	require.NoError(t, err)
	return l
}

func day(n int) time.Time { return time.Date(2026, 3, n, 9, 0, 0, 0, time.UTC) }

var newsletter = consent.Scope{Purpose: "newsletter"}

// Sixteen writers, each with its own pool and ledger: one history that verifies, in
// which every event that was acknowledged is there once.
func TestSixteenWriters(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			dsn, keys := k.place(t), filepath.Join(t.TempDir(), "keys")
			const writers = 16
			each := 15
			if *long {
				each = 1000
			}
			ledgers := make([]*ledger.Ledger, writers)
			for i := range ledgers {
				ledgers[i] = ledgerAt(t, dsn, keys)
			}
			begin := time.Now()
			var wg sync.WaitGroup
			for w, l := range ledgers {
				wg.Go(func() {
					for i := range each {
						ev := ledger.Granted(fmt.Sprintf("p1_1_%d", (w*each+i)%40), consent.Scope{Purpose: fmt.Sprintf("p.w%d.n%d", w, i)}, day(1))
						ev.ID = fmt.Sprintf("w%d.%d", w, i)
						_, err := l.Append(ctx, ev)
						assert.NoError(t, err)
					}
				})
			}
			wg.Wait()
			took := time.Since(begin)
			report, err := ledgers[3].Verify(ctx, ledger.Checks{})
			require.NoError(t, err)
			require.Empty(t, report.Problems)
			assert.Equal(t, uint64(writers*each), report.Head.Seq)
			assert.Equal(t, uint64(writers*each), report.Opened)
			t.Logf("%d writers: %.0f acknowledged events/s", writers, float64(writers*each)/took.Seconds())
			for _, l := range ledgers {
				require.NoError(t, l.Close())
			}
		})
	}
}

// What one process records, another sees at once, erasures included.
func TestTwoProcessesSeeEachOther(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		keys := filepath.Join(t.TempDir(), "keys")
		a, b := ledgerAt(t, dsn, keys), ledgerAt(t, dsn, keys)
		defer func() { require.NoError(t, a.Close()); require.NoError(t, b.Close()) }()
		engine, err := consent.New(consent.Policy{Purposes: []consent.Purpose{{Key: "newsletter"}}})
		require.NoError(t, err)
		reason := func(l *ledger.Ledger) consent.Reason {
			v, err := l.View(ctx, "p1_1_jane", ledger.AsOf{Valid: day(9)})
			require.NoError(t, err)
			return engine.Decide(v, &consent.Request{Purpose: "newsletter", At: day(9)}).Reason
		}
		assert.Equal(t, reason(a), reason(b))
		_, err = a.Append(ctx, ledger.Granted("p1_1_jane", newsletter, day(1)))
		require.NoError(t, err)
		assert.Equal(t, consent.Reason("CONSENT"), reason(b))
		_, err = b.Append(ctx, ledger.Withdrawn("p1_1_jane", newsletter, day(2)))
		require.NoError(t, err)
		assert.Equal(t, consent.Reason("WITHDRAWN"), reason(a))
		_, err = a.Erase(ctx, "p1_1_jane", day(3), ledger.OnRequest)
		require.NoError(t, err)
		assert.Equal(t, consent.Reason("ERASED"), reason(b))
		_, err = b.Append(ctx, ledger.Granted("p1_1_jane", newsletter, day(4)))
		require.ErrorIs(t, err, ledger.ErrErased)
	})
}

// A person is erased: the chain verifies, the proof of one of their events holds,
// and neither the key nor what was said is left in any file. What is left in dead
// rows and logs, until the database cleans up, is ciphertext that nobody can open.
func TestErasedInTheRawFiles(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			top := t.TempDir()
			keys := filepath.Join(top, "keys")
			var dsn, data string
			if k.name == "postgres" {
				dsn, data = database(t), postgresServer(t).Dir
			} else {
				data = filepath.Join(top, "sqlite")
				require.NoError(t, os.Mkdir(data, 0o700))
				dsn = "sqlite:" + filepath.Join(data, "log.db")
			}
			jane, john, note := crand.Text(), crand.Text(), crand.Text() // no eight bytes of which are anywhere else
			s, err := sqlstore.OpenDSN(ctx, dsn)
			require.NoError(t, err)
			ks, err := filestore.OpenKeys(ctx, keys)
			require.NoError(t, err)
			l, err := ledger.New(ctx, s, ks)
			require.NoError(t, err)
			ev := ledger.Granted(jane, newsletter, day(1))
			ev.ID, ev.Note = "the-grant", note
			other := ledger.Granted(john, newsletter, day(1))
			_, err = l.Append(ctx, ev, other, ledger.Withdrawn(jane, newsletter, day(2)))
			require.NoError(t, err)
			proof, err := l.Prove(ctx, "the-grant")
			require.NoError(t, err)

			// The secrets as they are before: the two keys, of which one is Jane's, and the
			// ciphertext of her grant.
			var live []ledger.Key
			for key, err := range ks.Live(ctx) {
				require.NoError(t, err)
				live = append(live, key)
			}
			require.Len(t, live, 2)
			entry, err := s.Find(ctx, "the-grant")
			require.NoError(t, err)
			sealed := bytes.Clone(entry.Sealed)

			flush := func() {
				if k.name == "postgres" {
					require.NoError(t, postgresServer(t).Exec(ctx, "postgres", "CHECKPOINT"))
				}
			}
			flush()
			require.True(t, holds(t, top, live[0][:]) && holds(t, top, live[1][:]), "the search finds keys where they are")
			require.True(t, holds(t, data, sealed), "the search finds what the database holds")
			require.False(t, holds(t, data, live[0][:]) || holds(t, data, live[1][:]), "no key ever was in the database")
			require.False(t, holds(t, data, []byte(jane)) || holds(t, data, []byte(note)), "nor what was said, nor of whom")

			_, err = l.Erase(ctx, jane, day(3), ledger.OnRequest)
			require.NoError(t, err)
			report, err := l.Verify(ctx, ledger.Checks{})
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
			assert.Equal(t, uint64(1), report.Opened)
			envelope, err := proof.Check()
			require.NoError(t, err)
			assert.Equal(t, ledger.KindGranted, envelope.Kind)
			again, err := l.Prove(ctx, "the-grant")
			require.NoError(t, err)
			_, err = again.Check()
			require.NoError(t, err)

			remains := 0
			var gone ledger.Key
			for _, key := range live {
				if there := holdsLive(t, ks, key); there {
					remains++
				} else {
					gone = key
				}
			}
			require.Equal(t, 1, remains)
			flush()
			t.Logf("%s: before it cleans up, the ciphertext lingers: %t", k.name, holds(t, data, sealed))
			check := func() {
				for _, dir := range []string{top, data} {
					assert.False(t, holds(t, dir, gone[:]), "the key")
					assert.False(t, holds(t, dir, []byte(jane)), "the subject")
					assert.False(t, holds(t, dir, []byte(note)), "what was said")
				}
			}
			check()
			if k.name == "postgres" {
				require.NoError(t, postgresServer(t).Exec(ctx, "postgres", "VACUUM", "CHECKPOINT"))
			}
			require.NoError(t, l.Close())
			check()
			if k.name == "sqlite" {
				assert.False(t, holds(t, data, sealed), "SQLite overwrites what is deleted, and has emptied its log at the close")
			}
		})
	}
}

func holdsLive(t testing.TB, ks ledger.Keys, key ledger.Key) bool {
	t.Helper()
	for k, err := range ks.Live(ctx) {
		require.NoError(t, err)
		if k == key {
			return true
		}
	}
	return false
}

// window is how many bytes of a secret count as a find.
const window = 8

// holds searches all files below a folder for any eight bytes of a secret.
func holds(t testing.TB, dir string, secret []byte) bool {
	t.Helper()
	var maybe [1 << 16]bool // by the first two bytes, to be quick
	wanted := make(map[uint64]bool)
	for i := 0; i+window <= len(secret); i++ {
		w := binary.BigEndian.Uint64(secret[i:])
		wanted[w], maybe[w>>48] = true, true
	}
	require.NotEmpty(t, wanted)
	found, files := false, 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil && strings.Contains(path, "pg") || err == nil && !entry.Type().IsRegular() {
			return nil // the server removes a file now and then
		}
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		files++
		for i := 0; i+window <= len(b); i++ {
			if maybe[binary.BigEndian.Uint16(b[i:])] && wanted[binary.BigEndian.Uint64(b[i:])] {
				found = true
				return fs.SkipAll
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Positive(t, files, "nothing was searched")
	return found
}
