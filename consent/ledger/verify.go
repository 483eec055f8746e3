package ledger

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"slices"
	"strconv"
	"time"
)

// Checks are what [Ledger.Verify] looks at beside the log. The zero value is
// nothing.
type Checks struct {
	// Heads are heads that were signed earlier and kept elsewhere, in any order, and
	// Public is the key that they were signed with.
	Heads  []SignedHead
	Public ed25519.PublicKey
	// Progress is called now and then with how many entries were looked at, and how
	// many there are.
	Progress func(done, total uint64)
}

// A Report is what [Ledger.Verify] found.
type Report struct {
	Head   Head   // of the log that was verified
	Opened uint64 // entries whose payload was opened and fits
	Erased uint64 // entries that lost their payload by an erasure
	// Problems are what is wrong, in the order of the log, the first thousand; More
	// is how many were left off. None: the log verifies.
	Problems []*DamageError
	More     uint64
}

// maxTries is how often a log is read again because a subject was erased meanwhile.
const maxTries = 10

// maxProblems is how many problems a report names.
const maxProblems = 1000

// Verify reads the whole log and checks it against itself: that every entry is in
// its place and in its canonical encoding, that the chain and the tree lead to the
// end that the store tells, that every payload opens with the key of its subject,
// fits its envelope and follows the subject's event before it, and that as many
// entries lack a payload as the erasures account for. Given signed heads, it checks
// that the log continues each of them; without them, nobody can see that the log
// was cut or rewritten as a whole.
//
// What it finds is in the report. An error means that the log could not be read to
// its end. Appending meanwhile is allowed; an erasure meanwhile makes it read the
// log again.
func (l *Ledger) Verify(ctx context.Context, how Checks) (Report, error) {
	for try := 0; ; try++ {
		if err := l.ready(ctx); err != nil {
			return Report{}, err
		}
		a := audit{l: l, how: how}
		if err := a.run(ctx); err != nil {
			return a.report, err
		}
		if len(a.report.Problems) == 0 || try == maxTries {
			return a.report, nil
		}
		if moved, err := a.moved(ctx); err != nil || !moved {
			return a.report, err
		}
	}
}

// An audit is one reading of the log.
type audit struct {
	l       *Ledger
	how     Checks
	report  Report
	heads   []SignedHead
	live    map[Handle]*account
	tail    Tail            // of what was read
	gone    []uint64        // entries without a payload
	keyless []keyless       // entries whose key is not there
	begun   map[Tag]Erasure // erasures that were under way at some time meanwhile
	dropped uint64          // by what the erasures say
}

type keyless struct {
	seq    uint64
	handle Handle
}

// An account is one subject whose key lives.
type account struct {
	key   Key
	tag   Tag
	count uint64
	known time.Time
}

func (a *audit) wrong(seq uint64, problem string) {
	if len(a.report.Problems) == maxProblems {
		a.report.More++
		return
	}
	a.report.Problems = append(a.report.Problems, &DamageError{seq, problem})
}

func (a *audit) run(ctx context.Context) error {
	a.live, a.begun = make(map[Handle]*account), make(map[Tag]Erasure)
	a.checkHeads()
	for end := uint64(0); ; {
		tail, err := a.l.store.Tail(ctx)
		if err != nil {
			return err
		}
		if tail.Size <= end { // nothing was appended while the last part was read
			more, err := a.beyond(ctx, tail)
			if err != nil {
				return err
			}
			if more {
				continue
			}
			a.finish(tail)
			break
		}
		end = tail.Size
		// A key is made before the first entry that it seals: those of all entries
		// up to this end are there now, unless they were destroyed.
		for key, err := range a.l.keys.Live(ctx) {
			if err != nil {
				return err
			}
			if h := handleOf(&key); a.live[h] == nil {
				a.live[h] = &account{key: key}
			}
		}
		// In this order: a key that was not there any more belongs to an erasure that
		// is told now, or to one that has dropped its entries before they are read.
		if err := a.erasures(ctx); err != nil {
			return err
		}
		if err := a.read(ctx, end); err != nil {
			return err
		}
		if a.tail.Size < end { // the log is shorter than its end says
			a.finish(tail)
			break
		}
	}
	return a.account(ctx)
}

// beyond looks for entries that the end of the log does not know; it reports
// whether the log has grown instead.
func (a *audit) beyond(ctx context.Context, tail Tail) (grown bool, err error) {
	for e, err := range a.l.store.Entries(ctx, tail.Size) {
		if err != nil {
			return false, err
		}
		now, err := a.l.store.Tail(ctx)
		if err != nil || now.Size > tail.Size {
			return true, err
		}
		a.wrong(e.Seq, "the entry follows the end of the log: the end was rolled back")
		break
	}
	return false, nil
}

// checkHeads looks at the signed heads alone, and sorts them.
func (a *audit) checkHeads() {
	id := a.l.ID()
	for i := range a.how.Heads {
		switch h := &a.how.Heads[i]; {
		case h.Check(a.how.Public) != nil:
			a.wrong(h.Head.Seq, "a signed head was not signed with this key, or altered")
		case h.Log != id:
			a.wrong(h.Head.Seq, "a signed head is of another log")
		default:
			a.heads = append(a.heads, *h)
		}
	}
	slices.SortFunc(a.heads, func(x, y SignedHead) int { return cmp.Compare(x.Head.Seq, y.Head.Seq) })
	a.passHeads()
}

// passHeads compares the log so far with the signed heads of its length.
func (a *audit) passHeads() {
	for len(a.heads) > 0 && a.heads[0].Head.Seq == a.tail.Size {
		if a.heads[0].Head != a.tail.Head() {
			a.wrong(a.tail.Size, wrongFork)
		}
		a.heads = a.heads[1:]
	}
}

// read goes on to the given entry.
func (a *audit) read(ctx context.Context, end uint64) error {
	if a.tail.Size == end {
		return nil
	}
	for e, err := range a.l.store.Entries(ctx, a.tail.Size) {
		if err != nil {
			return err
		}
		if e.Seq != a.tail.Size+1 {
			a.wrong(a.tail.Size+1, wrongGap+", or entries have changed places")
			e.Seq = a.tail.Size + 1 // go on: what follows may be sound
		}
		a.entry(&e)
		a.tail = a.tail.Add(e.Hash())
		a.passHeads()
		if a.how.Progress != nil && (a.tail.Size%1024 == 0 || a.tail.Size == end) {
			a.how.Progress(a.tail.Size, end)
		}
		if a.tail.Size == end {
			return nil
		}
	}
	return nil
}

func (a *audit) entry(e *Entry) {
	envelope, err := ParseEnvelope(e.Envelope)
	if err != nil {
		a.wrong(e.Seq, wrongEnvelope)
		return
	}
	if envelope.Seq != e.Seq {
		a.wrong(e.Seq, wrongPlace)
		return
	}
	if envelope.Prev != a.tail.Last {
		a.wrong(e.Seq, "the chain is broken here: this entry, or the one before, is not the one that was recorded")
	}
	if envelope.Kind == KindErased {
		a.dropped += envelope.Dropped
		if envelope.Commitment != (Hash{}) || e.Handle != (Handle{}) || len(e.Sealed) > 0 {
			a.wrong(e.Seq, "an erasure has a payload")
		}
		return
	}
	if envelope.Commitment == (Hash{}) {
		a.wrong(e.Seq, "the envelope commits to no payload")
		return
	}
	who := a.live[e.Handle]
	switch {
	case e.Handle == (Handle{}) && len(e.Sealed) == 0:
		a.gone = append(a.gone, e.Seq)
	case e.Handle == (Handle{}):
		a.wrong(e.Seq, "the payload belongs to no subject: its handle was removed")
	case who == nil:
		a.keyless = append(a.keyless, keyless{e.Seq, e.Handle})
	case len(e.Sealed) == 0:
		a.wrong(e.Seq, "the payload was removed without an erasure")
		who.count++
	default:
		a.payload(e, &envelope, who)
	}
}

func (a *audit) payload(e *Entry, envelope *Envelope, who *account) {
	sealer, err := newSealer(&who.key, e.Handle)
	if err != nil {
		a.wrong(e.Seq, wrongSeal)
		return
	}
	ev, number, wrong := sealer.openWith(e, envelope)
	if wrong != "" {
		a.wrong(e.Seq, wrong)
		return
	}
	tag := a.l.tag(ev.Subject)
	if who.count == 0 {
		who.tag = tag
	}
	switch {
	case who.tag != tag:
		a.wrong(e.Seq, "the payload names another subject")
	case number != who.count+1:
		a.wrong(e.Seq, wrongNumber)
	case ev.Known.Before(who.known):
		a.wrong(e.Seq, "what was known runs backwards within the subject")
	}
	who.count, who.known = number, later(who.known, ev.Known)
	a.report.Opened++
}

// finish compares what was read with the end that the store tells.
func (a *audit) finish(tail Tail) {
	a.report.Head = a.tail.Head()
	switch {
	case a.tail.Size < tail.Size:
		a.wrong(a.tail.Size+1, wrongGap+": the log is shorter than its end says")
	case !tail.valid() || a.tail.Head() != tail.Head() || !slices.Equal(a.tail.Peaks, tail.Peaks):
		a.wrong(a.tail.Size, wrongTree)
	}
	for _, h := range a.heads {
		a.wrong(h.Head.Seq, wrongCut)
	}
}

// erasures notes those that are under way now.
func (a *audit) erasures(ctx context.Context) error {
	unfinished, err := a.l.keys.Unfinished(ctx)
	for i := range unfinished {
		a.begun[unfinished[i].Tag] = unfinished[i]
	}
	return err
}

// account compares the entries without a payload with what the erasures say.
func (a *audit) account(ctx context.Context) error {
	if err := a.erasures(ctx); err != nil {
		return err
	}
	erasing := make(map[Handle]bool, len(a.begun))
	for tag, erasure := range a.begun {
		erasing[erasure.Handle] = true
		e, err := a.l.store.Find(ctx, a.l.erasureID(tag))
		if err == nil && e.Seq <= a.tail.Size {
			continue // recorded, and counted
		}
		a.dropped += erasure.Count
	}
	for _, k := range a.keyless {
		if !erasing[k.handle] {
			a.wrong(k.seq, "the key of the payload is not there, and no erasure says why; or the handle is of nobody")
			continue
		}
		a.gone = append(a.gone, k.seq)
	}
	gone := uint64(len(a.gone))
	a.report.Erased = min(gone, a.dropped)
	switch {
	case gone > a.dropped && a.dropped == 0:
		for _, seq := range a.gone {
			a.wrong(seq, "the payload was removed without an erasure")
		}
	case gone > a.dropped:
		a.wrong(0, "payloads are missing that no erasure accounts for: "+strconv.FormatUint(gone-a.dropped, 10))
	case gone < a.dropped:
		a.wrong(0, "erasures account for more payloads than are missing: "+strconv.FormatUint(a.dropped-gone, 10))
	}
	slices.SortStableFunc(a.report.Problems, func(x, y *DamageError) int { return cmp.Compare(x.Seq, y.Seq) })
	return nil
}

// moved reports whether a subject was erased while the log was read: whatever did
// not fit may be that.
func (a *audit) moved(ctx context.Context) (bool, error) {
	live := 0
	for key, err := range a.l.keys.Live(ctx) {
		if err != nil {
			return false, err
		}
		if a.live[handleOf(&key)] != nil {
			live++
		}
	}
	return live < len(a.live), nil
}
