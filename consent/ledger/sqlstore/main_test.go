package sqlstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/consent/ledger/sqlstore"
	"github.com/privetdev/privet/consent/ledger/sqlstore/internal/pgtest"
)

var long = flag.Bool("long", false, "run the tests that take minutes")

var ctx = context.Background()

// server starts PostgreSQL when the first test asks for it.
var server = sync.OnceValues(pgtest.Start)

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	code := m.Run()
	if s, err := server(); err == nil {
		s.Stop()
	}
	os.Exit(code)
}

// postgresServer gives the server, or skips the test where there is none.
func postgresServer(t testing.TB) *pgtest.Server {
	t.Helper()
	s, err := server()
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv(pgtest.Required) == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	return s
}

// database makes a new place for tables in PostgreSQL.
func database(t testing.TB) string {
	t.Helper()
	dsn, err := postgresServer(t).Place(ctx)
	require.NoError(t, err)
	return dsn
}

// kinds are the databases that most tests run on; place makes a new one and gives
// its connection string.
var kinds = []struct {
	name  string
	place func(t testing.TB) string
}{
	{"postgres", database},
	{"sqlite", func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "log.db") }},
}

func each(t *testing.T, test func(t *testing.T, dsn string)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, k.place(t))
		})
	}
}

func open(t testing.TB, dsn string, opts ...sqlstore.Option) ledger.Store {
	t.Helper()
	s, err := sqlstore.OpenDSN(ctx, dsn, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// following makes entries that follow an end: what a ledger would, without meaning.
func following(end ledger.Tail, handle ledger.Handle, ids ...string) ([]ledger.Entry, ledger.Tail) {
	var entries []ledger.Entry
	for _, id := range ids {
		v := ledger.Envelope{Seq: end.Size + 1, Prev: end.Last, ID: id, Kind: ledger.KindGranted, Purpose: "newsletter"}
		v.Known = time.Unix(1_700_000_000+int64(end.Size), 0).UTC()
		v.Valid = v.Known
		_, _ = rand.Read(v.Commitment[:]) // never fails
		e := ledger.Entry{Seq: v.Seq, Envelope: v.Append(nil), Handle: handle, Sealed: make([]byte, 60)}
		_, _ = rand.Read(e.Sealed)
		entries = append(entries, e)
		end = end.Add(e.Hash())
	}
	return entries, end
}

type build = func(context.Context, ledger.Reader, ledger.Tail) ([]ledger.Entry, ledger.Tail, error)

// adding is a build of entries with these ids.
func adding(handle ledger.Handle, ids ...string) build {
	return func(_ context.Context, _ ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		entries, tail := following(end, handle, ids...)
		return entries, tail, nil
	}
}

// once is adding, unless the first is there already.
func once(handle ledger.Handle, ids ...string) build {
	return func(ctx context.Context, log ledger.Reader, end ledger.Tail) ([]ledger.Entry, ledger.Tail, error) {
		_, err := log.Find(ctx, ids[0])
		if !errors.Is(err, ledger.ErrNotFound) {
			return nil, end, err
		}
		return adding(handle, ids...)(ctx, log, end)
	}
}

// verified reads a whole log, checks that it is one unbroken history and gives the
// ids of its entries in order.
func verified(t testing.TB, s ledger.Store) []string {
	t.Helper()
	var ids []string
	var tail ledger.Tail
	for e, err := range s.Entries(ctx, 0) {
		require.NoError(t, err)
		v, err := ledger.ParseEnvelope(e.Envelope)
		require.NoError(t, err)
		require.Equal(t, tail.Size+1, e.Seq, "no gap, no fork")
		require.Equal(t, e.Seq, v.Seq)
		require.Equal(t, tail.Last, v.Prev, "each entry names the one before it")
		tail = tail.Add(e.Hash())
		ids = append(ids, v.ID)
	}
	end, err := s.Tail(ctx)
	require.NoError(t, err)
	assert.Equal(t, tail, end, "the end that is kept is that of the entries")
	return ids
}

// texts are numbered ids.
func texts(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return ids
}

var jane, john = ledger.Handle{1}, ledger.Handle{2}

func collect(t testing.TB, seq func(func(ledger.Entry, error) bool)) []ledger.Entry {
	t.Helper()
	var out []ledger.Entry
	for e, err := range seq {
		require.NoError(t, err)
		out = append(out, e)
	}
	return out
}
