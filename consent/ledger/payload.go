package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"strconv"

	"github.com/privetdev/privet/consent"
)

// payloadMagic begins each payload: what it is, and the version of its form.
const payloadMagic = "privet/consent-payload/1\x00"

// MaxSealed bounds the sealed payload of an entry, in bytes.
const MaxSealed = 1 << 19

const (
	nonceSize = 12
	saltSize  = 32
	tagSize   = 16 // of AES-GCM
)

// appendPayload appends the part of an event that says whose it is and what they
// said beyond the purpose: the magic, then every field, encoded as in
// [Envelope.Append], lists with their length before them. Number counts the
// subject's events from 1, so that one that is missing is seen.
func appendPayload(dst []byte, ev *Event, number uint64) []byte {
	dst = append(dst, payloadMagic...)
	dst = appendText(dst, ev.Subject)
	dst = binary.BigEndian.AppendUint64(dst, number)
	s := &ev.Scope
	for _, text := range [...]string{string(s.Operation), s.Channel, s.Recipient, s.Service, s.From, s.To} {
		dst = appendText(dst, text)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s.Origins)))
	for i := range s.Origins {
		dst = appendText(dst, s.Origins[i].Class)
		dst = appendText(dst, s.Origins[i].Service)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s.Attributes)))
	for _, text := range s.Attributes {
		dst = appendText(dst, text)
	}
	dst = appendText(dst, ev.Claim)
	dst = appendText(dst, string(ev.Result))
	dst = appendBool(dst, ev.LiveKey)
	dst = appendBool(dst, ev.AfterConflict)
	for _, text := range [...]string{string(ev.By), ev.Method, ev.Evidence, ev.Note, ev.Merged} {
		dst = appendText(dst, text)
	}
	return dst
}

// errPayload says that bytes are no payload. It never quotes them.
var errPayload = errors.New("ledger: payload: not the canonical encoding of one: the entry is damaged or of a later version")

// parsePayload reads what appendPayload writes, and nothing else.
func parsePayload(b []byte, ev *Event) (number uint64, err error) {
	if len(b) < len(payloadMagic) || string(b[:len(payloadMagic)]) != payloadMagic {
		return 0, errPayload
	}
	r := reader{rest: b[len(payloadMagic):]}
	ev.Subject = r.text()
	number = r.number()
	s := &ev.Scope
	s.Operation = consent.Operation(r.text())
	s.Channel, s.Recipient, s.Service, s.From, s.To = r.text(), r.text(), r.text(), r.text(), r.text()
	for range r.count(8) {
		s.Origins = append(s.Origins, consent.Origin{Class: r.text(), Service: r.text()})
	}
	for range r.count(4) {
		s.Attributes = append(s.Attributes, r.text())
	}
	ev.Claim, ev.Result = r.text(), consent.Result(r.text())
	ev.LiveKey, ev.AfterConflict = r.bool(), r.bool()
	ev.By = consent.Giver(r.text())
	ev.Method, ev.Evidence, ev.Note, ev.Merged = r.text(), r.text(), r.text(), r.text()
	if r.bad || len(r.rest) > 0 || number == 0 {
		return 0, errPayload
	}
	return number, nil
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func (r *reader) bool() bool {
	b := r.byte()
	r.bad = r.bad || b > 1
	return b == 1
}

// count reads the length of a list whose elements take at least size bytes each.
func (r *reader) count(size int) int {
	if b := r.take(4); b != nil {
		if n := binary.BigEndian.Uint32(b); uint64(n)*uint64(size) <= uint64(len(r.rest)) {
			return int(n)
		}
		r.bad = true
	}
	return 0
}

// envelope is the clear part of an event.
func (ev *Event) envelope(prev, commitment Hash) Envelope {
	return Envelope{
		Seq: ev.Seq, Prev: prev, ID: ev.ID, Kind: ev.Kind, Known: ev.Known, Valid: ev.Valid, Expires: ev.Expires,
		Purpose: ev.Scope.Purpose, Strength: ev.Strength, Notice: ev.Notice, Text: ev.Text,
		Commitment: commitment, Dropped: ev.Dropped, Why: ev.Why,
	}
}

// event is the part of an event that its envelope tells.
func (v *Envelope) event() Event {
	return Event{
		ID: v.ID, Kind: v.Kind, Valid: v.Valid, Known: v.Known, Seq: v.Seq, Scope: consent.Scope{Purpose: v.Purpose},
		Strength: v.Strength, Expires: v.Expires, Notice: v.Notice, Text: v.Text, Dropped: v.Dropped, Why: v.Why,
	}
}

// commit is what an envelope says of its payload. Without the salt it says nothing
// to whoever guesses payloads.
func commit(salt, payload []byte) Hash {
	mac := hmac.New(sha256.New, salt)
	mac.Write(payload)
	var sum Hash
	mac.Sum(sum[:0])
	return sum
}

// keyed is HMAC-SHA256 of a label and a message, cut to 16 bytes. The labels are
// fixed and none begins another, so that no two uses ever hash the same.
func keyed(key *Key, label, message string) [16]byte {
	return sumOf(hmac.New(sha256.New, key[:]), label, message)
}

func sumOf(mac hash.Hash, label, message string) (sum [16]byte) {
	b := make([]byte, 0, 64)
	mac.Write(append(append(b, label...), message...))
	copy(sum[:], mac.Sum(b))
	return sum
}

func handleOf(key *Key) Handle { return keyed(key, "handle", "") }

// A sealer seals and opens the payloads of one subject.
type sealer struct {
	aead   cipher.AEAD
	handle Handle
}

// newSealer makes the sealer of a key. The handle is that of the key; zero: not
// worked out yet.
func newSealer(key *Key, handle Handle) (sealer, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, errors.New("ledger: keys: not a key for AES-256")
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, errors.New("ledger: keys: not a key for AES-GCM")
	}
	if handle == (Handle{}) {
		handle = handleOf(key)
	}
	return sealer{aead, handle}, nil
}

// seal makes the entry of an event. Random gives nonce and salt; scratch is reused.
func (s *sealer) seal(ev *Event, number uint64, prev Hash, random *[nonceSize + saltSize]byte, scratch []byte) (Entry, []byte) {
	nonce, salt := random[:nonceSize], random[nonceSize:]
	plain := append(scratch[:0], salt...)
	plain = appendPayload(plain, ev, number)
	envelope := ev.envelope(prev, commit(salt, plain[saltSize:]))
	e := Entry{Seq: ev.Seq, Envelope: envelope.Append(make([]byte, 0, 320)), Handle: s.handle}
	hash := e.Hash()
	e.Sealed = append(make([]byte, 0, nonceSize+len(plain)+tagSize), nonce...)
	e.Sealed = s.aead.Seal(e.Sealed, nonce, plain, hash[:])
	return e, plain
}

// unseal gives the salt and the payload of an entry: the two are one slice, the
// salt first.
func (s *sealer) unseal(e *Entry) ([]byte, bool) {
	if len(e.Sealed) < nonceSize+saltSize+tagSize || len(e.Sealed) > MaxSealed {
		return nil, false
	}
	hash := e.Hash()
	plain, err := s.aead.Open(nil, e.Sealed[:nonceSize], e.Sealed[nonceSize:], hash[:])
	return plain, err == nil
}

// What can be wrong with one entry of a subject.
const (
	wrongEnvelope   = "the envelope is not the canonical encoding of one"
	wrongPlace      = "the envelope belongs to another place of the log"
	wrongSeal       = "the payload does not open with its subject's key, or belongs to another envelope"
	wrongPayload    = "the payload is not the canonical encoding of one"
	wrongCommitment = "the payload is not the one that the envelope commits to"
)

// open reads an entry; wrong is "" or says what is wrong with it.
func (s *sealer) open(e *Entry) (ev Event, number uint64, wrong string) {
	envelope, err := ParseEnvelope(e.Envelope)
	if err != nil {
		return Event{}, 0, wrongEnvelope
	}
	return s.openWith(e, &envelope)
}

func (s *sealer) openWith(e *Entry, envelope *Envelope) (ev Event, number uint64, wrong string) {
	if envelope.Seq != e.Seq {
		return Event{}, 0, wrongPlace
	}
	plain, ok := s.unseal(e)
	if !ok {
		return Event{}, 0, wrongSeal
	}
	if commit(plain[:saltSize], plain[saltSize:]) != envelope.Commitment {
		return Event{}, 0, wrongCommitment
	}
	ev = envelope.event()
	if number, err := parsePayload(plain[saltSize:], &ev); err == nil {
		return ev, number, ""
	}
	return Event{}, 0, wrongPayload
}

// A DamageError says that an entry is not as it was recorded. It contains nothing of
// the entry.
type DamageError struct {
	Seq     uint64 // 0: the log as a whole
	Problem string
}

func (e *DamageError) Error() string {
	where := "log"
	if e.Seq > 0 {
		where = "entry " + strconv.FormatUint(e.Seq, 10)
	}
	return "ledger: " + where + ": " + e.Problem + ": verify the log, and restore it from a copy that verifies"
}
