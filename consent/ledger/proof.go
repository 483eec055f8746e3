package ledger

import (
	"context"
	"errors"
	"math/bits"
	"sync"
)

// A Proof shows that an event is part of the log that a head describes (RFC 9162,
// section 2.1.3), without showing any other event. It holds after the subject was
// erased. It is JSON that [Proof.UnmarshalJSON] reads elsewhere.
type Proof struct {
	Head     Head
	Envelope []byte // the canonical encoding of the event's [Envelope]
	Path     []Hash // from the event's entry up to the root
}

// ErrProof says that a proof does not show what it claims.
var ErrProof = errors.New("ledger: proof: does not hold for this head: it was altered, or belongs to another log")

// Check gives the event's envelope if the proof holds for its own Head; [ErrProof].
// What that is worth depends on where the Head comes from: compare it with that of
// a [SignedHead], or show by a [Consistency] that the one continues the other.
func (p *Proof) Check() (Envelope, error) {
	envelope, err := ParseEnvelope(p.Envelope)
	if err != nil {
		return Envelope{}, err
	}
	if envelope.Seq == 0 || envelope.Seq > p.Head.Seq {
		return Envelope{}, ErrProof
	}
	e := Entry{Envelope: p.Envelope}
	hash := e.Hash()
	if envelope.Seq == p.Head.Seq && hash != p.Head.Last {
		return Envelope{}, ErrProof
	}
	node, last := envelope.Seq-1, p.Head.Seq-1 // on the way up
	for _, sibling := range p.Path {
		if last == 0 {
			return Envelope{}, ErrProof
		}
		if node&1 == 1 || node == last {
			hash = nodeHash(sibling, hash)
			if node&1 == 0 {
				up := bits.TrailingZeros64(node) // node is not 0: it is last, which is not
				node, last = node>>up, last>>up
			}
		} else {
			hash = nodeHash(hash, sibling)
		}
		node, last = node>>1, last>>1
	}
	if last != 0 || hash != p.Head.Root {
		return Envelope{}, ErrProof
	}
	return envelope, nil
}

// A Consistency shows that a log only grew between two heads: what was in the old
// one is the beginning of the new one (RFC 9162, section 2.1.4).
type Consistency struct {
	Old, New Head
	Path     []Hash
}

// Check says whether the proof holds for its two heads; [ErrProof].
func (c *Consistency) Check() error {
	switch {
	case c.Old.Seq > c.New.Seq:
		return ErrProof
	case c.Old.Seq == c.New.Seq:
		if c.Old != c.New || len(c.Path) > 0 {
			return ErrProof
		}
		return nil
	case c.Old.Seq == 0:
		// Every log continues the empty one.
		if c.Old != (Tail{}).Head() || len(c.Path) > 0 {
			return ErrProof
		}
		return nil
	}
	path := c.Path
	node, last := c.Old.Seq-1, c.New.Seq-1
	up := bits.TrailingZeros64(^node)
	node, last = node>>up, last>>up
	first := c.Old.Root // where the old log is one complete subtree
	if node != 0 {
		if len(path) == 0 {
			return ErrProof
		}
		first, path = path[0], path[1:]
	}
	before, after := first, first
	for _, sibling := range path {
		if last == 0 {
			return ErrProof
		}
		if node&1 == 1 || node == last {
			before, after = nodeHash(sibling, before), nodeHash(sibling, after)
			if node&1 == 0 {
				up := bits.TrailingZeros64(node)
				node, last = node>>up, last>>up
			}
		} else {
			after = nodeHash(after, sibling)
		}
		node, last = node>>1, last>>1
	}
	if last != 0 || before != c.Old.Root || after != c.New.Root {
		return ErrProof
	}
	return nil
}

// Prove shows that the event with the id is part of the log as it is now.
// [ErrNotFound]; a [*DamageError] when the log is not what its end says. The first
// proof of a ledger reads the whole log, later ones a few hundred entries each.
func (l *Ledger) Prove(ctx context.Context, id string) (Proof, error) {
	if err := l.ready(ctx); err != nil {
		return Proof{}, err
	}
	e, err := l.store.Find(ctx, id)
	if err != nil {
		return Proof{}, err
	}
	envelope := append([]byte(nil), e.Envelope...)
	tail, err := l.store.Tail(ctx)
	if err != nil {
		return Proof{}, err
	}
	if e.Seq == 0 || e.Seq > tail.Size {
		return Proof{}, &DamageError{e.Seq, wrongPlace}
	}
	t, err := l.tree(ctx, tail.Size)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{Head: tail.Head(), Envelope: envelope}
	if p.Path, err = t.path(e.Seq-1, 0, tail.Size); err != nil {
		return Proof{}, err
	}
	if _, err := p.Check(); err != nil {
		return Proof{}, &DamageError{e.Seq, wrongTree}
	}
	return p, nil
}

// wrongTree says that entries are not those that the end of the log was made of.
const wrongTree = "the entries are not those that the end of the log was made of"

// ProveConsistency shows that the log as it is now continues the one that old was
// the head of. A [*DamageError] when it does not: then the log was forked, cut or
// rolled back.
func (l *Ledger) ProveConsistency(ctx context.Context, old Head) (Consistency, error) {
	if err := l.ready(ctx); err != nil {
		return Consistency{}, err
	}
	tail, err := l.store.Tail(ctx)
	if err != nil {
		return Consistency{}, err
	}
	c := Consistency{Old: old, New: tail.Head()}
	if old.Seq > tail.Size {
		return Consistency{}, &DamageError{old.Seq, wrongCut}
	}
	if old.Seq > 0 && old.Seq < tail.Size {
		t, err := l.tree(ctx, tail.Size)
		if err != nil {
			return Consistency{}, err
		}
		if c.Path, err = t.between(old.Seq, 0, tail.Size, true); err != nil {
			return Consistency{}, err
		}
	}
	if err := c.Check(); err != nil {
		return Consistency{}, &DamageError{old.Seq, wrongFork}
	}
	return c, nil
}

const (
	wrongCut  = "the log ends before a head of it: it was cut or rolled back"
	wrongFork = "the log is not the one that a head of it describes: it was rewritten"
)

// chunk is how many entries are read again rather than having the nodes of their
// tree kept.
const chunk = 1 << 8

// nodes are the roots of complete subtrees, kept so that a proof need not read the
// whole log: levels[k] are those over chunk<<k entries.
type nodes struct {
	sync.Mutex
	levels [][]Hash
}

// tree gives the nodes of the first size entries.
func (l *Ledger) tree(ctx context.Context, size uint64) (*tree, error) {
	l.nodes.Lock()
	defer l.nodes.Unlock()
	t := &tree{ctx: ctx, log: l.store}
	if len(l.nodes.levels) == 0 {
		l.nodes.levels = make([][]Hash, 64)
	}
	for have := uint64(len(l.nodes.levels[0])) * chunk; size-have >= chunk; {
		// One iteration over the store for all that is missing.
		leaves := make([]Hash, 0, chunk)
		err := t.leaves(have, size-size%chunk, func(h Hash) {
			leaves = append(leaves, h)
			if len(leaves) == chunk {
				l.nodes.add(rootOf(leaves))
				leaves = leaves[:0]
				have += chunk
			}
		})
		if err != nil {
			return nil, err
		}
	}
	t.levels = make([][]Hash, len(l.nodes.levels))
	copy(t.levels, l.nodes.levels) // what is there never changes
	return t, nil
}

func (n *nodes) add(h Hash) {
	for k := range n.levels {
		n.levels[k] = append(n.levels[k], h)
		m := len(n.levels[k])
		if m%2 == 1 {
			return
		}
		h = nodeHash(n.levels[k][m-2], h)
	}
}

// A tree gives hashes of ranges of entries, counted from 0.
type tree struct {
	ctx    context.Context
	log    Reader
	levels [][]Hash
}

// leaves calls f with the hash of each entry from a on and before b.
func (t *tree) leaves(a, b uint64, f func(Hash)) error {
	if a == b {
		return nil
	}
	at := a
	for e, err := range t.log.Entries(t.ctx, a) {
		if err != nil {
			return err
		}
		if at++; e.Seq != at {
			return &DamageError{at, wrongGap}
		}
		f(e.Hash())
		if at == b {
			return nil
		}
	}
	return &DamageError{at + 1, wrongGap}
}

const wrongGap = "the entry is missing"

// rootOf is the Merkle Tree Hash of RFC 6962, section 2.1, of at least one leaf.
func rootOf(leaves []Hash) Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := split(uint64(len(leaves)))
	return nodeHash(rootOf(leaves[:k]), rootOf(leaves[k:]))
}

// split is the largest power of two below n, which is at least 2.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// root is the hash of the entries from a on and before b, where RFC 6962 cuts.
func (t *tree) root(a, b uint64) (Hash, error) {
	n := b - a
	if n >= chunk && n&(n-1) == 0 {
		return t.levels[bits.TrailingZeros64(n/chunk)][a/n], nil
	}
	if n < chunk {
		leaves := make([]Hash, 0, n)
		if err := t.leaves(a, b, func(h Hash) { leaves = append(leaves, h) }); err != nil {
			return Hash{}, err
		}
		return rootOf(leaves), nil
	}
	k := split(n)
	left, err := t.root(a, a+k)
	if err != nil {
		return Hash{}, err
	}
	right, err := t.root(a+k, b)
	if err != nil {
		return Hash{}, err
	}
	return nodeHash(left, right), nil
}

// path is PATH(m, D[a:b]) of RFC 6962, section 2.1.1; m counts from the beginning of
// the log.
func (t *tree) path(m, a, b uint64) ([]Hash, error) {
	if b-a == 1 {
		return nil, nil
	}
	k := a + split(b-a)
	if m < k {
		return t.join(func() ([]Hash, error) { return t.path(m, a, k) }, k, b)
	}
	return t.join(func() ([]Hash, error) { return t.path(m, k, b) }, a, k)
}

// between is SUBPROOF(m, D[a:b], whole) of RFC 6962, section 2.1.2.
func (t *tree) between(m, a, b uint64, whole bool) ([]Hash, error) {
	if m == b {
		if whole {
			return nil, nil
		}
		h, err := t.root(a, b)
		return []Hash{h}, err
	}
	k := a + split(b-a)
	if m <= k {
		return t.join(func() ([]Hash, error) { return t.between(m, a, k, whole) }, k, b)
	}
	return t.join(func() ([]Hash, error) { return t.between(m, k, b, false) }, a, k)
}

// join appends the root of a range to a path.
func (t *tree) join(path func() ([]Hash, error), a, b uint64) ([]Hash, error) {
	list, err := path()
	if err != nil {
		return nil, err
	}
	h, err := t.root(a, b)
	return append(list, h), err
}
