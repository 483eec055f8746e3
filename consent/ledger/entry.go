package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/privetdev/privet/consent"
)

// A Hash is a SHA-256 hash.
type Hash [sha256.Size]byte

// A Handle finds the entries of one subject. It says nothing of who that is, is
// no part of what the log hashes, and is removed when the subject is erased, so
// that nothing joins the entries that remain. The zero handle is none.
type Handle [16]byte

// An Entry is one place of the log as a [Store] keeps it.
type Entry struct {
	Seq      uint64 // from 1, without gaps
	Envelope []byte // the canonical encoding of an [Envelope]: all that is hashed
	Handle   Handle // zero: an entry without a subject, or one that was dropped
	Sealed   []byte // the payload, sealed with the subject's key; empty: as Handle
}

// Hash is the entry's hash in the chain and its leaf in the tree (RFC 6962,
// section 2.1): of a zero byte and the envelope.
func (e *Entry) Hash() Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(e.Envelope)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// An Envelope is the clear part of an event. It holds nothing of the person and
// stays for good; what it commits to can be destroyed.
type Envelope struct {
	Seq  uint64
	Prev Hash // of the entry before; zero for the first

	ID       string
	Kind     Kind
	Known    time.Time
	Valid    time.Time
	Expires  time.Time         // zero: never
	Purpose  string            // of a state
	Strength consent.Strength  // of a grant
	Notice   consent.NoticeRef // that the person was shown
	Text     Hash              // of the exact text that was shown; zero: not recorded

	// Commitment is HMAC-SHA256 of the payload under a random salt that lies
	// beside it; zero for an entry without a payload.
	Commitment Hash

	Dropped uint64 // of an erasure: how many entries lost their payload
	Why     Why    // of an erasure
}

// A Why says on what ground a subject was erased.
type Why uint8

// The grounds. The zero value is none and is refused.
const (
	OnRequest   Why = 1 // of the person (GDPR Art. 17)
	OnRetention Why = 2 // the history itself was kept long enough
	OnOrder     Why = 3 // of an authority
)

// envelopeMagic begins each envelope: what it is, and the version of its form.
const envelopeMagic = "privet/consent/1\x00"

// MaxEnvelope bounds the encoding of an envelope, in bytes.
const MaxEnvelope = 4096

// Append appends the canonical encoding: the magic, then every field in the order
// of the struct, numbers as 8 bytes big-endian, texts with their length before
// them, times as seconds and nanoseconds since 1970 in UTC behind a byte that says
// whether there is one. Equal envelopes have one encoding, and different ones
// never the same.
func (v *Envelope) Append(dst []byte) []byte {
	dst = append(dst, envelopeMagic...)
	dst = binary.BigEndian.AppendUint64(dst, v.Seq)
	dst = append(dst, v.Prev[:]...)
	dst = appendText(dst, v.ID)
	dst = appendText(dst, string(v.Kind))
	dst = appendTime(dst, v.Known)
	dst = appendTime(dst, v.Valid)
	dst = appendTime(dst, v.Expires)
	dst = appendText(dst, v.Purpose)
	dst = appendText(dst, string(v.Strength))
	dst = appendText(dst, v.Notice.ID)
	dst = appendText(dst, v.Notice.Version)
	dst = append(dst, v.Text[:]...)
	dst = append(dst, v.Commitment[:]...)
	dst = binary.BigEndian.AppendUint64(dst, v.Dropped)
	return append(dst, byte(v.Why))
}

// errEnvelope says that bytes are no envelope. It never quotes them.
var errEnvelope = errors.New("ledger: envelope: not the canonical encoding of one: the entry is damaged or of a later version")

// ParseEnvelope reads what Append writes, and nothing else: an encoding that
// Append would write otherwise is refused.
func ParseEnvelope(b []byte) (Envelope, error) {
	var v Envelope
	if len(b) > MaxEnvelope || len(b) < len(envelopeMagic) || string(b[:len(envelopeMagic)]) != envelopeMagic {
		return Envelope{}, errEnvelope
	}
	r := reader{rest: b[len(envelopeMagic):]}
	v.Seq = r.number()
	r.hash(&v.Prev)
	v.ID = r.text()
	v.Kind = Kind(r.text())
	v.Known = r.time()
	v.Valid = r.time()
	v.Expires = r.time()
	v.Purpose = r.text()
	v.Strength = consent.Strength(r.text())
	v.Notice.ID = r.text()
	v.Notice.Version = r.text()
	r.hash(&v.Text)
	r.hash(&v.Commitment)
	v.Dropped = r.number()
	v.Why = Why(r.byte())
	if r.bad || len(r.rest) > 0 {
		return Envelope{}, errEnvelope
	}
	return v, nil
}

func appendText(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	dst = binary.BigEndian.AppendUint64(dst, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(dst, uint32(t.Nanosecond()))
}

// A reader takes an encoding apart; after the first fault it gives zero values.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) number() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) length() int {
	if b := r.take(4); b != nil {
		if n := binary.BigEndian.Uint32(b); uint64(n) <= uint64(len(r.rest)) {
			return int(n)
		}
		r.bad = true
	}
	return 0
}

func (r *reader) text() string { return string(r.take(r.length())) }

func (r *reader) hash(h *Hash) { copy(h[:], r.take(len(h))) }

func (r *reader) time() time.Time {
	switch r.byte() {
	case 0:
		return time.Time{}
	case 1:
		seconds := int64(r.number())
		b := r.take(4)
		if b == nil {
			return time.Time{}
		}
		nanos := binary.BigEndian.Uint32(b)
		t := time.Unix(seconds, int64(nanos)).UTC()
		if nanos >= 1e9 || t.Unix() != seconds || t.IsZero() {
			r.bad = true
		}
		return t
	}
	r.bad = true
	return time.Time{}
}
