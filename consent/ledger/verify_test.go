package ledger_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

func open(t require.TestingT, s ledger.Store, k ledger.Keys, options ...ledger.Option) *ledger.Ledger {
	l, err := ledger.New(ctx, s, k, options...)
	require.NoError(t, err)
	return l
}

// A scene is a small log with everything in it: three subjects, one of them erased.
type scene struct {
	store   *plainStore
	keys    ledger.Keys
	log     *ledger.Ledger
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	heads   []ledger.SignedHead // after 4 entries, and at the end
}

func newScene(t *testing.T) *scene {
	s := &scene{store: &plainStore{}, keys: ledger.NewMemoryKeys()}
	s.log = open(t, s.store, s.keys)
	var err error
	s.public, s.private, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	sign := func() {
		h, err := s.log.SignHead(ctx, s.private, day(20))
		require.NoError(t, err)
		s.heads = append(s.heads, h)
	}
	appendAll(t, s.log, ledger.Granted(jane, diag, day(1)), ledger.Granted("john", diag, day(1)), ledger.Granted("jim", diag, day(2)), ledger.Withdrawn(jane, diag, day(3)))
	sign()
	appendAll(t, s.log, ledger.Restricted("jim", day(3)), ledger.Granted(jane, diag, day(4)), ledger.Granted("john", diag, day(5)))
	_, err = s.log.Erase(ctx, "jim", day(6), ledger.OnRequest)
	require.NoError(t, err)
	appendAll(t, s.log, ledger.Withdrawn(jane, diag, day(7)), ledger.Denied("john", diag, day(8)))
	sign()
	return s
}

func (s *scene) verify(t require.TestingT, store ledger.Store, heads ...ledger.SignedHead) []*ledger.DamageError {
	r, err := open(t, store, s.keys).Verify(ctx, ledger.Checks{Heads: heads, Public: s.public})
	require.NoError(t, err)
	return r.Problems
}

func TestVerifySound(t *testing.T) {
	s := newScene(t)
	var steps []uint64
	r, err := s.log.Verify(ctx, ledger.Checks{Heads: []ledger.SignedHead{s.heads[1], s.heads[0]}, Public: s.public, Progress: func(done, total uint64) {
		steps = append(steps, done, total)
	}})
	require.NoError(t, err)
	assert.Empty(t, r.Problems)
	assert.Equal(t, s.heads[1].Head, r.Head)
	assert.EqualValues(t, 7, r.Opened)
	assert.EqualValues(t, 2, r.Erased)
	assert.Equal(t, []uint64{10, 10}, steps)
	r, err = ledger.NewMemory().Verify(ctx, ledger.Checks{})
	require.NoError(t, err)
	assert.Empty(t, r.Problems, "an empty log")
}

// names says whether the problems name the entry, or the one after it, where a
// broken chain shows.
func names(problems []*ledger.DamageError, seq uint64) bool {
	return slices.ContainsFunc(problems, func(p *ledger.DamageError) bool { return p.Seq == seq || p.Seq == seq+1 })
}

func TestVerifyFindsEveryFlippedBit(t *testing.T) {
	s := newScene(t)
	for i := range s.store.entries {
		seq := uint64(i) + 1
		for part, of := range map[string]func(*ledger.Entry) []byte{
			"envelope": func(e *ledger.Entry) []byte { return e.Envelope },
			"handle":   func(e *ledger.Entry) []byte { return e.Handle[:] },
			"sealed":   func(e *ledger.Entry) []byte { return e.Sealed },
		} {
			bits := 8 * len(of(&s.store.entries[i]))
			for bit := 0; bit < bits; bit += 1 + bit%7 {
				c := s.store.copyOf()
				of(&c.entries[i])[bit/8] ^= 1 << (bit % 8)
				require.True(t, names(s.verify(t, c), seq), "bit %d of the %s of entry %d", bit, part, seq)
				if part == "envelope" { // who rewrites the end of the log as well gets no further
					c.settle()
					require.True(t, names(s.verify(t, c, s.heads...), seq), "bit %d of the %s of entry %d, with the end made to fit", bit, part, seq)
				}
			}
		}
	}
}

func TestVerifyNamesEachFault(t *testing.T) {
	s := newScene(t)
	for _, tt := range []struct {
		name   string
		change func(*plainStore)
		heads  bool // show the signed heads
		seq    uint64
		part   string // of the problem
		reason string
	}{
		{"two entries swapped", func(c *plainStore) { c.entries[1], c.entries[2] = c.entries[2], c.entries[1] }, false, 2, "another place", "the envelope says its place"},
		{"an entry removed", func(c *plainStore) { c.entries = slices.Delete(c.entries, 3, 4) }, false, 4, "missing", "the numbers have a gap"},
		{"an entry removed, renumbered", func(c *plainStore) {
			c.entries = slices.Delete(c.entries, 3, 4)
			for i := range c.entries {
				c.entries[i].Seq = uint64(i) + 1
			}
			c.settle()
		}, false, 4, "another place", "the envelopes still say their places"},
		{"an entry twice", func(c *plainStore) { c.entries = slices.Insert(c.entries, 4, c.entries[3]) }, false, 5, "changed places", "the numbers repeat"},
		{"a payload removed", func(c *plainStore) { c.entries[3].Sealed, c.entries[3].Handle = nil, ledger.Handle{} }, false, 6, "comes before it is missing", "the subject's numbers have a gap"},
		{"the last payload of a subject removed", func(c *plainStore) { c.entries[8].Sealed, c.entries[8].Handle = nil, ledger.Handle{} }, false, 0, "no erasure accounts for: 1", "a withdrawal that somebody removed is found by the count"},
		{"the sealed bytes alone removed", func(c *plainStore) { c.entries[3].Sealed = nil }, false, 4, "removed without an erasure", ""},
		{"the handle alone removed", func(c *plainStore) { c.entries[3].Handle = ledger.Handle{} }, false, 4, "handle was removed", "the event would not be found for its subject"},
		{"the handle of another subject", func(c *plainStore) { c.entries[3].Handle = c.entries[1].Handle }, false, 4, "does not open", "sealed with another key"},
		{"the payload of another entry", func(c *plainStore) { c.entries[3].Sealed = c.entries[0].Sealed }, false, 4, "does not open", "bound to its envelope"},
		{"cut, the end as it was", func(c *plainStore) { c.entries = c.entries[:8] }, false, 9, "shorter than its end", ""},
		{"cut, the end made to fit", func(c *plainStore) { c.entries = c.entries[:8]; c.settle() }, true, 10, "cut or rolled back", "only the signed head knows"},
		{"the end rolled back", func(c *plainStore) {
			all := c.entries
			c.entries = c.entries[:4]
			c.settle()
			c.entries = all
		}, false, 5, "end was rolled back", "the entries are still there"},
		{"the end of another log", func(c *plainStore) { c.tail.Peaks = slices.Clone(c.tail.Peaks); c.tail.Peaks[0][0] ^= 1 }, false, 10, "not those that the end", ""},
		{"the last hash changed", func(c *plainStore) { c.tail.Last[0] ^= 1 }, false, 10, "not those that the end", ""},
		{"a payload for an erasure", func(c *plainStore) { c.entries[7].Sealed = []byte{1} }, false, 8, "an erasure has a payload", ""},
	} {
		c := s.store.copyOf()
		tt.change(c)
		var heads []ledger.SignedHead
		if tt.heads {
			assert.Empty(t, s.verify(t, c), "%s: not seen without a signed head", tt.name)
			heads = s.heads
		}
		problems := s.verify(t, c, heads...)
		assert.True(t, slices.ContainsFunc(problems, func(p *ledger.DamageError) bool { return p.Seq == tt.seq && strings.Contains(p.Problem, tt.part) }),
			"%s: %s: want entry %d: %s; got %v", tt.name, tt.reason, tt.seq, tt.part, problems)
	}
}

// Who holds the keys can rewrite the log so that it fits itself; the head that was
// signed before shows it.
func TestVerifyFork(t *testing.T) {
	s := newScene(t)
	fork := s.store.copyOf()
	fork.entries = fork.entries[:3]
	fork.settle()
	l := open(t, fork, s.keys)
	appendAll(t, l, ledger.Granted(jane, diag, day(3)), ledger.Granted("john", diag, day(5)))
	for i := range fork.entries { // jim's payload went with his erasure
		if i == 2 {
			fork.entries[i].Handle, fork.entries[i].Sealed = ledger.Handle{}, nil
		}
	}
	problems := s.verify(t, fork, s.heads...)
	require.NotEmpty(t, problems)
	found := map[uint64]string{}
	for _, p := range problems {
		found[p.Seq] += p.Problem
	}
	assert.Contains(t, found[4], "rewritten")
	assert.Contains(t, found[10], "cut")
	_, err := l.ProveConsistency(ctx, s.heads[0].Head)
	var damage *ledger.DamageError
	require.ErrorAs(t, err, &damage)
	assert.Contains(t, damage.Problem, "rewritten")
	_, err = l.ProveConsistency(ctx, s.heads[1].Head)
	require.ErrorAs(t, err, &damage)
	assert.Contains(t, damage.Problem, "cut")
}

func TestSignedHeads(t *testing.T) {
	s := newScene(t)
	otherKey, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	head := s.heads[0]
	require.NoError(t, head.Check(s.public))
	require.ErrorIs(t, head.Check(otherKey), ledger.ErrSignature)
	require.ErrorIs(t, head.Check(nil), ledger.ErrSignature, "no key")
	for name, change := range map[string]func(*ledger.SignedHead){
		"log":       func(h *ledger.SignedHead) { h.Log[0] ^= 1 },
		"seq":       func(h *ledger.SignedHead) { h.Head.Seq++ },
		"last":      func(h *ledger.SignedHead) { h.Head.Last[31] ^= 1 },
		"root":      func(h *ledger.SignedHead) { h.Head.Root[31] ^= 1 },
		"time":      func(h *ledger.SignedHead) { h.At = h.At.Add(1) },
		"signature": func(h *ledger.SignedHead) { h.Signature = slices.Clone(h.Signature); h.Signature[5] ^= 1 },
		"cut":       func(h *ledger.SignedHead) { h.Signature = h.Signature[:63] },
	} {
		h := head
		change(&h)
		require.ErrorIs(t, h.Check(s.public), ledger.ErrSignature, name)
		problems := s.verify(t, s.store, h)
		require.Len(t, problems, 1, name)
		assert.Contains(t, problems[0].Problem, "not signed with this key", name)
	}
	foreign, err := ledger.NewMemory().SignHead(ctx, s.private, day(1))
	require.NoError(t, err)
	problems := s.verify(t, s.store, foreign)
	require.Len(t, problems, 1)
	assert.Contains(t, problems[0].Problem, "of another log")
	_, err = s.log.SignHead(ctx, s.private, day(1).AddDate(-3000, 0, 0))
	require.NoError(t, err, "any instant")
	_, err = s.log.SignHead(ctx, s.private, ledger.Event{}.Valid)
	require.Error(t, err, "no instant")
	_, err = s.log.SignHead(ctx, wrongSigner{s.private}, day(1))
	require.Error(t, err, "a signer that fails")
}

type wrongSigner struct{ ed25519.PrivateKey }

func (wrongSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("canary")
}

// A view of a subject whose entries were tampered with is an error, not an answer.
func TestViewFailsClosed(t *testing.T) {
	s := newScene(t)
	for name, change := range map[string]func(*plainStore){
		"flipped":  func(c *plainStore) { c.entries[3].Sealed[20] ^= 1 },
		"envelope": func(c *plainStore) { c.entries[3].Envelope[60] ^= 1 },
		"removed":  func(c *plainStore) { c.entries[3].Handle = ledger.Handle{} },
		"moved":    func(c *plainStore) { c.entries[3].Handle = c.entries[1].Handle },
	} {
		c := s.store.copyOf()
		change(c)
		l := open(t, c, s.keys)
		bad := 0
		for _, subject := range []string{jane, "john"} {
			_, err := l.View(ctx, subject, ledger.AsOf{Valid: day(9)})
			var damage *ledger.DamageError
			if errors.As(err, &damage) {
				bad++
				assert.NotZero(t, damage.Seq)
			}
			for _, err := range l.Events(ctx, subject, ledger.AsOf{}) {
				if err != nil {
					assert.ErrorAs(t, err, &damage)
				}
			}
		}
		assert.NotZero(t, bad, name)
	}
}

// What a ledger recorded is verified by another one that only reads.
func TestVerifyWhileAppending(t *testing.T) {
	m := ledger.NewMemory()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			subject := fmt.Sprintf("s%d", i%20)
			if i%50 == 49 {
				if _, err := m.Erase(ctx, fmt.Sprintf("s%d", i/50), day(2), ledger.OnRequest); err != nil {
					t.Error(err)
				}
				continue
			}
			if _, err := m.Append(ctx, ledger.Granted(subject, consent.Scope{Purpose: "p"}, day(1).Add(1e9*1))); err != nil && !errors.Is(err, ledger.ErrErased) {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		verifies(t, m)
	}
}
