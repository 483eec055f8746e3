package ledger

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"time"
)

// A SignedHead is a head that somebody vouches for. Kept elsewhere, it shows later
// that the log was not cut, forked or rolled back: a chain of hashes alone cannot,
// since who rewrites the log rewrites the chain.
type SignedHead struct {
	Log       LogID
	Head      Head
	At        time.Time // when it was signed
	Signature []byte    // Ed25519 (RFC 8032)
}

// ErrSignature says that a signed head was not signed with the key, or altered.
var ErrSignature = errors.New("ledger: signed head: the signature does not hold for this key: it was altered, or signed by somebody else")

// signedMagic begins what is signed, so that no signature over anything else passes
// for one over a head.
const signedMagic = "privet/consent-head/1\x00"

// message is what is signed: the magic, the log's id, Seq as 8 bytes big-endian,
// Last, Root, and At as in an envelope.
func (s *SignedHead) message() []byte {
	b := append([]byte(signedMagic), s.Log[:]...)
	b = binary.BigEndian.AppendUint64(b, s.Head.Seq)
	b = append(b, s.Head.Last[:]...)
	b = append(b, s.Head.Root[:]...)
	return appendTime(b, s.At)
}

// Check says whether the head was signed with the key; [ErrSignature].
func (s *SignedHead) Check(public ed25519.PublicKey) error {
	if len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, s.message(), s.Signature) {
		return ErrSignature
	}
	return nil
}

// SignHead signs the head of the log as it is now. Signer holds an Ed25519 key: an
// [ed25519.PrivateKey], or something that keeps one. At is noted, not checked.
func (l *Ledger) SignHead(ctx context.Context, signer crypto.Signer, at time.Time) (SignedHead, error) {
	if at.IsZero() {
		return SignedHead{}, errors.New("ledger: signed head: no instant: say when it is signed")
	}
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return SignedHead{}, errors.New("ledger: signed head: not an Ed25519 key: use one of crypto/ed25519")
	}
	head, err := l.Head(ctx)
	if err != nil {
		return SignedHead{}, err
	}
	s := SignedHead{Log: l.ID(), Head: head, At: at.UTC()}
	if s.Signature, err = signer.Sign(nil, s.message(), crypto.Hash(0)); err != nil {
		return SignedHead{}, errors.New("ledger: signed head: the signer failed: is its key usable?")
	}
	return s, s.Check(public)
}

// An Opening is what an event's envelope commits to. Whoever is shown it beside a
// [Proof] sees whose event it is and all that was recorded with it. It is personal
// data. It can be made while the subject's key lives; one that was given away holds
// for ever.
type Opening struct {
	Salt    [saltSize]byte
	Payload []byte
}

// String hides the payload, which is personal data.
func (Opening) String() string { return "ledger.Opening(REDACTED)" }

// GoString is String.
func (o Opening) GoString() string { return o.String() }

// Check gives the whole event if the opening is the one that the envelope commits
// to; [ErrProof].
func (o Opening) Check(envelope Envelope) (Event, error) {
	if commit(o.Salt[:], o.Payload) != envelope.Commitment {
		return Event{}, ErrProof
	}
	ev := envelope.event()
	if _, err := parsePayload(o.Payload, &ev); err != nil {
		return Event{}, err
	}
	return ev, nil
}

// Open opens one event of a subject, to be shown beside its proof. [ErrNotFound]
// when the subject has no event with this id; [ErrErased].
func (l *Ledger) Open(ctx context.Context, subject, id string) (Opening, error) {
	if err := l.ready(ctx); err != nil {
		return Opening{}, err
	}
	key, err := l.keys.Get(ctx, l.tag(subject))
	switch {
	case errors.Is(err, ErrNoKey):
		return Opening{}, ErrNotFound
	case err != nil:
		return Opening{}, err
	}
	sealer, err := newSealer(&key, Handle{})
	if err != nil {
		return Opening{}, err
	}
	e, err := l.store.Find(ctx, id)
	if err != nil {
		return Opening{}, err
	}
	if e.Handle != sealer.handle {
		return Opening{}, ErrNotFound
	}
	if _, _, wrong := sealer.open(&e); wrong != "" {
		return Opening{}, &DamageError{e.Seq, wrong}
	}
	plain, _ := sealer.unseal(&e)
	return Opening{[saltSize]byte(plain[:saltSize]), plain[saltSize:]}, nil
}
