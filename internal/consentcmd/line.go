package consentcmd

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"time"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// A line is one event as JSON: what is read of a history, and what is exported.
type line struct {
	Seq        uint64    `json:"seq,omitempty"` // given by the ledger; read and not used
	ID         string    `json:"id,omitempty"`
	Subject    string    `json:"subject,omitempty"`
	Kind       string    `json:"kind"`
	At         time.Time `json:"at,omitzero"`
	Known      time.Time `json:"known,omitzero"`
	Purpose    string    `json:"purpose,omitempty"`
	Operation  string    `json:"operation,omitempty"`
	Channel    string    `json:"channel,omitempty"`
	Recipient  string    `json:"recipient,omitempty"`
	Service    string    `json:"service,omitempty"`
	From       string    `json:"from,omitempty"`
	To         string    `json:"to,omitempty"`
	Origins    []origin  `json:"origins,omitempty"`
	Attributes []string  `json:"attributes,omitempty"`
	Strength   string    `json:"strength,omitempty"`
	Expires    time.Time `json:"expires,omitzero"`
	Notice     notice    `json:"notice,omitzero"`
	Text       string    `json:"text,omitempty"` // hash of what was shown, in hexadecimal
	By         string    `json:"by,omitempty"`
	Conflict   bool      `json:"after_conflict,omitempty"`
	Method     string    `json:"method,omitempty"`
	Evidence   string    `json:"evidence,omitempty"`
	Note       string    `json:"note,omitempty"`
	Claim      string    `json:"claim,omitempty"`
	Result     string    `json:"result,omitempty"`
	LiveKey    bool      `json:"live_key,omitempty"`
	Merged     string    `json:"merged,omitempty"`
	Why        string    `json:"why,omitempty"` // of an erasure
}

type notice struct {
	ID      string `json:"id,omitempty"`
	Version string `json:"version,omitempty"`
}

type origin struct {
	Class   string `json:"class,omitempty"`
	Service string `json:"service,omitempty"`
}

// ErrLine says that a line is no event. It never quotes the line.
var ErrLine = errors.New("not an event of a ledger")

// LineMend shows how a line is written.
const LineMend = `write {"subject":…,"kind":"granted","purpose":…,"at":"2026-03-28T10:00:00Z"}`

// ParseEvent reads an event from one line of JSON; [ErrLine].
func ParseEvent(text []byte) (ledger.Event, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return ledger.Event{}, ErrLine // what encoding/json says quotes the line
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ledger.Event{}, ErrLine
	}
	// Who writes that consent was granted means a clear act, as ledger.Granted
	// does; implied consent is said as such.
	if l.Strength == "" && gives(ledger.Kind(l.Kind)) {
		l.Strength = string(consent.Expressed)
	}
	ev := ledger.Event{
		ID: l.ID, Subject: l.Subject, Kind: ledger.Kind(l.Kind), Valid: l.At, Known: l.Known,
		Scope: consent.Scope{
			Purpose: l.Purpose, Operation: consent.Operation(l.Operation), Channel: l.Channel, Recipient: l.Recipient,
			Service: l.Service, From: l.From, To: l.To, Attributes: l.Attributes,
		},
		Strength: consent.Strength(l.Strength), Expires: l.Expires,
		Notice: consent.NoticeRef{ID: l.Notice.ID, Version: l.Notice.Version},
		By:     consent.Giver(l.By), AfterConflict: l.Conflict, Method: l.Method, Evidence: l.Evidence, Note: l.Note,
		Claim: l.Claim, Result: consent.Result(l.Result), LiveKey: l.LiveKey, Merged: l.Merged,
	}
	for _, o := range l.Origins {
		ev.Scope.Origins = append(ev.Scope.Origins, consent.Origin(o))
	}
	if l.Text != "" {
		if len(l.Text) != hex.EncodedLen(len(ev.Text)) {
			return ledger.Event{}, ErrLine
		}
		if _, err := hex.Decode(ev.Text[:], []byte(l.Text)); err != nil {
			return ledger.Event{}, ErrLine
		}
	}
	if l.Why != "" {
		why, ok := grounds[l.Why]
		if !ok {
			return ledger.Event{}, ErrLine
		}
		ev.Why = why
	}
	return ev, nil
}

func gives(k ledger.Kind) bool { return k == ledger.KindGranted || k == ledger.KindRenewed }

// lineOf is the line of an event. The subject is the caller's to add.
func lineOf(ev *ledger.Event) line {
	l := line{
		Seq: ev.Seq, ID: ev.ID, Kind: string(ev.Kind), At: ev.Valid.UTC(), Known: ev.Known.UTC(),
		Purpose: ev.Scope.Purpose, Operation: string(ev.Scope.Operation), Channel: ev.Scope.Channel, Recipient: ev.Scope.Recipient,
		Service: ev.Scope.Service, From: ev.Scope.From, To: ev.Scope.To, Attributes: ev.Scope.Attributes,
		Strength: string(ev.Strength), Expires: ev.Expires, Notice: notice{ev.Notice.ID, ev.Notice.Version},
		By: string(ev.By), Conflict: ev.AfterConflict, Method: ev.Method, Evidence: ev.Evidence, Note: ev.Note,
		Claim: ev.Claim, Result: string(ev.Result), LiveKey: ev.LiveKey, Merged: ev.Merged, Why: groundOf(ev.Why),
	}
	for _, o := range ev.Scope.Origins {
		l.Origins = append(l.Origins, origin(o))
	}
	if ev.Text != (ledger.Hash{}) {
		l.Text = hex.EncodeToString(ev.Text[:])
	}
	return l
}

// jsonLine writes one line of JSON.
func jsonLine(v any) ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	if err := w.Encode(v); err != nil {
		return nil, errors.New("a line cannot be written as JSON")
	}
	return b.Bytes(), nil
}

// grounds of an erasure by name.
var grounds = map[string]ledger.Why{"request": ledger.OnRequest, "retention": ledger.OnRetention, "order": ledger.OnOrder}

func groundOf(why ledger.Why) string {
	for name, w := range grounds {
		if w == why {
			return name
		}
	}
	return ""
}

// Record records an event that was read. An erasure is more than an event; the
// other side of a merge is written by the merge itself, and passed over.
func Record(ctx context.Context, to *ledger.Ledger, event ledger.Event) error {
	switch event.Kind {
	case ledger.KindMergedInto:
		return nil
	case ledger.KindErased:
		if !reflect.DeepEqual(event, ledger.Event{ID: event.ID, Subject: event.Subject, Kind: event.Kind, Valid: event.Valid, Known: event.Known, Why: event.Why}) {
			return &ledger.EventError{Part: "kind", Problem: "an erasure says nothing else", Mend: "leave the other fields empty"}
		}
		if event.Why == 0 {
			event.Why = ledger.OnRequest
		}
		_, err := to.Erase(ctx, event.Subject, event.Valid, event.Why)
		return err
	}
	_, err := to.Append(ctx, event)
	return err
}
