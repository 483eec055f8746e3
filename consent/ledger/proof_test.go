package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent/ledger"
)

// The following is RFC 6962, section 2.1, read out loud: slow, recursive, over all
// leaves, and nothing in it is shared with the package.

func slowLeaf(d []byte) ledger.Hash { return sha256.Sum256(append([]byte{0}, d...)) }

func slowNode(l, r ledger.Hash) ledger.Hash {
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

// slowSplit: the largest power of two smaller than n.
func slowSplit(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func slowRoot(d []ledger.Hash) ledger.Hash {
	switch n := len(d); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return d[0]
	default:
		k := slowSplit(n)
		return slowNode(slowRoot(d[:k]), slowRoot(d[k:]))
	}
}

func slowPath(m int, d []ledger.Hash) []ledger.Hash {
	if len(d) == 1 {
		return nil
	}
	k := slowSplit(len(d))
	if m < k {
		return append(slowPath(m, d[:k]), slowRoot(d[k:]))
	}
	return append(slowPath(m-k, d[k:]), slowRoot(d[:k]))
}

func slowProof(m int, d []ledger.Hash, whole bool) []ledger.Hash {
	n := len(d)
	if m == n {
		if whole {
			return nil
		}
		return []ledger.Hash{slowRoot(d)}
	}
	k := slowSplit(n)
	if m <= k {
		return append(slowProof(m, d[:k], whole), slowRoot(d[k:]))
	}
	return append(slowProof(m-k, d[k:], false), slowRoot(d[:k]))
}

// slowIncluded climbs from a leaf by the shape of the tree: the second
// implementation of the check.
func slowIncluded(h ledger.Hash, m, n int, path []ledger.Hash) (ledger.Hash, bool) {
	if n == 1 {
		return h, len(path) == 0
	}
	if len(path) == 0 {
		return h, false
	}
	k, last := slowSplit(n), path[len(path)-1]
	rest := path[:len(path)-1]
	if m < k {
		l, ok := slowIncluded(h, m, k, rest)
		return slowNode(l, last), ok
	}
	r, ok := slowIncluded(h, m-k, n-k, rest)
	return slowNode(last, r), ok
}

// slowContinues rebuilds both roots from a proof of consistency.
func slowContinues(m, n int, old ledger.Hash, path []ledger.Hash, whole bool) (before, after ledger.Hash, ok bool) {
	if m == n {
		if whole {
			return old, old, len(path) == 0
		}
		if len(path) != 1 {
			return old, old, false
		}
		return path[0], path[0], true
	}
	if len(path) == 0 {
		return old, old, false
	}
	k, last := slowSplit(n), path[len(path)-1]
	rest := path[:len(path)-1]
	if m <= k {
		b, a, ok := slowContinues(m, k, old, rest, whole)
		return b, slowNode(a, last), ok
	}
	b, a, ok := slowContinues(m-k, n-k, old, rest, false)
	return slowNode(last, b), slowNode(last, a), ok
}

// Roots of the first n of eight known leaves, as the logs of RFC 6962 test them.
func TestKnownRoots(t *testing.T) {
	leaves := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	roots := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	var tail ledger.Tail
	var hashes []ledger.Hash
	for i := range roots {
		root := tail.Root()
		assert.Equal(t, roots[i], hex.EncodeToString(root[:]), "%d leaves", i)
		assert.Equal(t, slowRoot(hashes), root, "%d leaves", i)
		if i < len(leaves) {
			b, err := hex.DecodeString(leaves[i])
			require.NoError(t, err)
			e := ledger.Entry{Envelope: b}
			require.Equal(t, slowLeaf(b), e.Hash())
			hashes = append(hashes, e.Hash())
			tail = tail.Add(e.Hash())
		}
	}
}

// growing is a log of n events of few subjects, with its leaves and its heads.
func growing(t testing.TB, n int) (l *ledger.Ledger, leaves []ledger.Hash, heads []ledger.Head) {
	s := ledger.NewMemoryStore()
	l = open(t, s, ledger.NewMemoryKeys())
	heads = append(heads, ledger.Tail{}.Head())
	for i := range n {
		heads = append(heads, appendAll(t, l, ledger.Granted(fmt.Sprintf("s%d", i%5), diag, day(1).AddDate(0, 0, i))))
	}
	for e, err := range s.Entries(ctx, 0) {
		require.NoError(t, err)
		leaves = append(leaves, e.Hash())
	}
	return l, leaves, heads
}

// Every proof of every log up to 70 entries is the one of RFC 6962, and both checks
// accept it; above, where the ledger keeps nodes, some.
func TestProofsAgainstReference(t *testing.T) {
	check := func(l *ledger.Ledger, leaves []ledger.Hash, head ledger.Head, m int) {
		p, err := l.Prove(ctx, fmt.Sprintf("e%d", m+1))
		require.NoError(t, err)
		require.Equal(t, head, p.Head)
		require.Equal(t, slowPath(m, leaves), p.Path, "entry %d of %d", m+1, len(leaves))
		v, err := p.Check()
		require.NoError(t, err)
		require.EqualValues(t, m+1, v.Seq)
		root, ok := slowIncluded(slowLeaf(p.Envelope), m, len(leaves), p.Path)
		require.True(t, ok && root == head.Root)
	}
	continues := func(l *ledger.Ledger, leaves []ledger.Hash, old ledger.Head) {
		c, err := l.ProveConsistency(ctx, old)
		require.NoError(t, err)
		require.NoError(t, c.Check())
		if old.Seq == 0 {
			require.Empty(t, c.Path)
			return
		}
		require.Equal(t, slowProof(int(old.Seq), leaves, true), c.Path)
		before, after, ok := slowContinues(int(old.Seq), len(leaves), old.Root, c.Path, true)
		require.True(t, ok && before == old.Root && after == c.New.Root)
	}
	for n := 1; n <= 70; n++ {
		l, leaves, heads := growing(t, n)
		for m := range n {
			check(l, leaves, heads[n], m)
		}
		for _, old := range heads {
			continues(l, leaves, old)
		}
	}
	for _, n := range []int{255, 256, 257, 511, 512, 513, 1300} {
		l, leaves, heads := growing(t, n)
		for _, m := range []int{0, 1, 254, n / 2, n - 2, n - 1} {
			check(l, leaves, heads[n], m)
			continues(l, leaves, heads[m])
			continues(l, leaves, heads[m+1])
		}
		for i := range 300 { // it grows after proofs were made, and the nodes that are kept with it
			heads = append(heads, appendAll(t, l, ledger.Granted("later", diag, day(1).AddDate(0, 0, i))))
		}
		p, err := l.Prove(ctx, "e1")
		require.NoError(t, err)
		require.Equal(t, heads[n+300], p.Head)
		c, err := l.ProveConsistency(ctx, heads[n])
		require.NoError(t, err)
		require.NoError(t, c.Check())
	}
}

// A proof that was altered in any way does not hold.
func TestAlteredProofs(t *testing.T) {
	l, _, heads := growing(t, 37)
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(1, 37).Draw(t, "entry")
		p, err := l.Prove(ctx, fmt.Sprintf("e%d", m))
		require.NoError(t, err)
		flip := func(b []byte) {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		switch rapid.IntRange(0, 7).Draw(t, "what") {
		case 0:
			flip(p.Envelope)
		case 1:
			flip(p.Head.Root[:])
		case 2:
			// Another size that asks for a path of the same shape is told by the signed
			// head, not by the proof; one of another shape is told here.
			p.Head.Seq = rapid.SampledFrom([]uint64{0, 1, 2, 16, 64, 65, 1 << 63}).Draw(t, "size")
			if p.Head.Seq >= 64 && p.Head.Seq < 128 && m <= 32 {
				t.Skip("a size whose path is as long proves as much: another is drawn")
			}
		case 3:
			flip(p.Path[rapid.IntRange(0, len(p.Path)-1).Draw(t, "step")][:])
		case 4:
			p.Path = append(p.Path, ledger.Hash{})
		case 5:
			p.Path = p.Path[:len(p.Path)-1]
		case 6:
			p.Path = p.Path[1:]
		case 7:
			if m != 37 {
				t.Skip("a proof of an earlier entry does not have the hash of the last: another is drawn")
			}
			flip(p.Head.Last[:])
		}
		_, err = p.Check()
		require.Error(t, err)

		c, err := l.ProveConsistency(ctx, heads[rapid.IntRange(1, 36).Draw(t, "old")])
		require.NoError(t, err)
		switch rapid.IntRange(0, 4).Draw(t, "what else") {
		case 0:
			flip(c.Old.Root[:])
		case 1:
			flip(c.New.Root[:])
		case 2:
			flip(c.Path[rapid.IntRange(0, len(c.Path)-1).Draw(t, "step")][:])
		case 3:
			c.Path = append(c.Path, ledger.Hash{})
		case 4:
			c.Path = c.Path[:len(c.Path)-1]
		}
		require.ErrorIs(t, c.Check(), ledger.ErrProof)
	})
	for _, c := range []ledger.Consistency{
		{Old: heads[5], New: heads[4]}, {Old: heads[5], New: heads[5], Path: []ledger.Hash{{}}}, {Old: ledger.Head{Seq: 5, Root: heads[4].Root, Last: heads[5].Last}, New: heads[5]},
		{Old: ledger.Head{Last: ledger.Hash{1}}, New: heads[5]}, {Old: heads[0], New: heads[5], Path: []ledger.Hash{{}}}, {Old: heads[5], New: heads[9]}, {Old: heads[4], New: heads[9]},
	} {
		require.ErrorIs(t, c.Check(), ledger.ErrProof)
	}
	var p ledger.Proof
	_, err := p.Check()
	require.Error(t, err, "the zero proof")
	_, err = l.Prove(ctx, "nothing")
	require.ErrorIs(t, err, ledger.ErrNotFound)
	_, err = l.Open(ctx, "s1", "e1")
	require.ErrorIs(t, err, ledger.ErrNotFound, "of another subject")
	_, err = l.Open(ctx, "nobody", "e1")
	require.ErrorIs(t, err, ledger.ErrNotFound)
}

// A log whose entries were changed proves nothing.
func TestNoProofOfDamage(t *testing.T) {
	s := newScene(t)
	c := s.store.copyOf()
	c.entries[4].Envelope[100] ^= 1
	l := open(t, c, s.keys)
	var damage *ledger.DamageError
	_, err := l.Prove(ctx, "e1")
	require.ErrorAs(t, err, &damage)
	_, err = l.ProveConsistency(ctx, s.heads[0].Head)
	require.ErrorAs(t, err, &damage)
	c = s.store.copyOf()
	c.entries = slices.Delete(c.entries, 4, 5)
	_, err = open(t, c, s.keys).Prove(ctx, "e1")
	require.ErrorAs(t, err, &damage)
	assert.EqualValues(t, 5, damage.Seq)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.log.Prove(ended, "e1")
	require.ErrorIs(t, err, context.Canceled)
}

func TestDocuments(t *testing.T) {
	_, _, proof, consistency, head, opening := goldenLog(t)
	round := func(from json.Marshaler, into json.Unmarshaler, want any) {
		b, err := json.Marshal(from)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, into))
		assert.Equal(t, want, into)
	}
	round(proof, new(ledger.Proof), &proof)
	round(consistency, new(ledger.Consistency), &consistency)
	round(head, new(ledger.SignedHead), &head)
	round(opening, new(ledger.Opening), &opening)
	assert.Equal(t, "ledger.Opening(REDACTED)", fmt.Sprint(opening))
	assert.Equal(t, "ledger.Opening(REDACTED)", fmt.Sprintf("%#v", opening))
	good, err := proof.MarshalJSON()
	require.NoError(t, err)
	for _, tt := range []struct{ from, to, reason string }{
		{`proof/1`, `proof/2`, "another version"},
		{`"path"`, `"way"`, "another member"},
		{`{"envelope"`, `{"extra":1,"envelope"`, "a member too many"},
		{`"seq":`, `"seq":0`, "another spelling of a number"},
		{`"seq":`, `"seq":-`, "negative"},
		{`"last":"`, `"last":"0`, "too long"},
		{`"path":[`, `"path":["00",`, "too short"},
		{`"path":[`, `"path":[1,`, "a number for a hash"},
		{`"envelope":"`, `"envelope":"!`, "not base64"},
		{`"head":{`, `"head":{"x":1,`, "a member too many"},
		{`}`, `}}`, "not JSON"},
	} {
		var p ledger.Proof
		text := replaceOnce(string(good), tt.from, tt.to)
		require.NotEqual(t, string(good), text, tt.reason)
		assert.ErrorIs(t, p.UnmarshalJSON([]byte(text)), ledger.ErrJSON, tt.reason)
		assert.Zero(t, p, "%s: nothing is written on an error", tt.reason)
	}
	require.ErrorIs(t, new(ledger.SignedHead).UnmarshalJSON(good), ledger.ErrJSON, "another document")
	require.ErrorIs(t, new(ledger.Consistency).UnmarshalJSON(good), ledger.ErrJSON)
	require.ErrorIs(t, new(ledger.Opening).UnmarshalJSON(good), ledger.ErrJSON)
}

func replaceOnce(s, from, to string) string { return strings.Replace(s, from, to, 1) }
