package ledger

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/privetdev/privet/internal/jsondoc"
)

// The member form of each document says what it is, and the version of its form.
const (
	formProof       = "privet/consent-proof/1"
	formConsistency = "privet/consent-consistency/1"
	formHead        = "privet/consent-head/1"
	formOpening     = "privet/consent-opening/1"
)

// ErrJSON says that a text is none of the documents of this package, or not the one
// that was asked for. It never quotes the text.
var ErrJSON = errors.New("ledger: not the JSON of a proof, a head or an opening: pass what privet wrote, unchanged")

// MarshalJSON writes the proof as JSON: envelope in base64, hashes in hexadecimal.
func (p Proof) MarshalJSON() ([]byte, error) {
	var w jsondoc.Writer
	w.Open('{')
	w.Name("envelope")
	w.String(base64.StdEncoding.EncodeToString(p.Envelope))
	w.Name("form")
	w.String(formProof)
	w.Name("head")
	writeHead(&w, &p.Head)
	w.Name("path")
	writePath(&w, p.Path)
	w.Close('}')
	return w.Buf, nil
}

// UnmarshalJSON reads what MarshalJSON writes; [ErrJSON]. It does not check the
// proof: call Check.
func (p *Proof) UnmarshalJSON(text []byte) error {
	d, err := parse(text, formProof, 4)
	if err != nil {
		return err
	}
	q := Proof{Envelope: d.base64(0, "envelope", MaxEnvelope), Head: d.head("head"), Path: d.path("path")}
	if d.bad {
		return ErrJSON
	}
	*p = q
	return nil
}

// MarshalJSON writes the proof as JSON, hashes in hexadecimal.
func (c Consistency) MarshalJSON() ([]byte, error) {
	var w jsondoc.Writer
	w.Open('{')
	w.Name("form")
	w.String(formConsistency)
	w.Name("new")
	writeHead(&w, &c.New)
	w.Name("old")
	writeHead(&w, &c.Old)
	w.Name("path")
	writePath(&w, c.Path)
	w.Close('}')
	return w.Buf, nil
}

// UnmarshalJSON reads what MarshalJSON writes; [ErrJSON]. It does not check the
// proof: call Check.
func (c *Consistency) UnmarshalJSON(text []byte) error {
	d, err := parse(text, formConsistency, 4)
	if err != nil {
		return err
	}
	q := Consistency{Old: d.head("old"), New: d.head("new"), Path: d.path("path")}
	if d.bad {
		return ErrJSON
	}
	*c = q
	return nil
}

// MarshalJSON writes the signed head as JSON: the time as in RFC 3339, the
// signature in base64.
func (s SignedHead) MarshalJSON() ([]byte, error) {
	var w jsondoc.Writer
	w.Open('{')
	w.Name("at")
	w.String(s.At.UTC().Format(time.RFC3339Nano))
	w.Name("form")
	w.String(formHead)
	w.Name("head")
	writeHead(&w, &s.Head)
	w.Name("log")
	w.String(s.Log.String())
	w.Name("signature")
	w.String(base64.StdEncoding.EncodeToString(s.Signature))
	w.Close('}')
	return w.Buf, nil
}

// UnmarshalJSON reads what MarshalJSON writes; [ErrJSON]. It does not check the
// signature: call Check.
func (s *SignedHead) UnmarshalJSON(text []byte) error {
	d, err := parse(text, formHead, 5)
	if err != nil {
		return err
	}
	q := SignedHead{Head: d.head("head"), Signature: d.base64(0, "signature", 1<<10)}
	d.hex(d.Member(0, "log"), q.Log[:])
	at := d.text(d.Member(0, "at"))
	if q.At, err = time.Parse(time.RFC3339Nano, at); err != nil || d.bad {
		return ErrJSON
	}
	if q.At = q.At.UTC(); q.At.Format(time.RFC3339Nano) != at {
		return ErrJSON
	}
	*s = q
	return nil
}

// MarshalJSON writes the opening as JSON, which is personal data.
func (o Opening) MarshalJSON() ([]byte, error) {
	var w jsondoc.Writer
	w.Open('{')
	w.Name("form")
	w.String(formOpening)
	w.Name("payload")
	w.String(base64.StdEncoding.EncodeToString(o.Payload))
	w.Name("salt")
	w.String(hex.EncodeToString(o.Salt[:]))
	w.Close('}')
	return w.Buf, nil
}

// UnmarshalJSON reads what MarshalJSON writes; [ErrJSON]. It does not check the
// opening: call Check.
func (o *Opening) UnmarshalJSON(text []byte) error {
	d, err := parse(text, formOpening, 3)
	if err != nil {
		return err
	}
	q := Opening{Payload: d.base64(0, "payload", MaxSealed)}
	d.hex(d.Member(0, "salt"), q.Salt[:])
	if d.bad {
		return ErrJSON
	}
	*o = q
	return nil
}

func writeHead(w *jsondoc.Writer, h *Head) {
	w.Open('{')
	w.Name("last")
	w.String(hex.EncodeToString(h.Last[:]))
	w.Name("root")
	w.String(hex.EncodeToString(h.Root[:]))
	w.Name("seq")
	w.Raw(strconv.FormatUint(h.Seq, 10))
	w.Close('}')
}

func writePath(w *jsondoc.Writer, path []Hash) {
	w.Open('[')
	for i := range path {
		w.String(hex.EncodeToString(path[i][:]))
	}
	w.Close(']')
}

// A document is read member by member; after the first fault it is bad.
type document struct {
	jsondoc.Doc
	bad bool
}

// maxPath bounds the path of a proof: two hashes for each level of the tree.
const maxPath = 128

// parse reads an object of the given form with so many members.
func parse(text []byte, form string, members int) (*document, error) {
	d := new(document)
	if len(text) > 1<<20 || d.Parse(string(text), jsondoc.Limits{Depth: 4, Nodes: 256}) != nil ||
		d.Nodes[0].Kind != jsondoc.Object || d.Len(0) != members || d.text(d.Member(0, "form")) != form || d.bad {
		return nil, ErrJSON
	}
	return d, nil
}

// is reports whether a member is there and of the kind.
func (d *document) is(i int32, kind jsondoc.Kind) bool {
	if i <= 0 || d.Nodes[i].Kind != kind {
		d.bad = true
		return false
	}
	return true
}

func (d *document) text(i int32) string {
	if !d.is(i, jsondoc.String) {
		return ""
	}
	return d.Nodes[i].Text
}

func (d *document) base64(of int32, name string, limit int) []byte {
	text := d.text(d.Member(of, name))
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) > limit || base64.StdEncoding.EncodeToString(b) != text {
		d.bad = true
	}
	return b
}

func (d *document) hex(i int32, dst []byte) {
	text := d.text(i)
	if len(text) != hex.EncodedLen(len(dst)) {
		d.bad = true
		return
	}
	if _, err := hex.Decode(dst, []byte(text)); err != nil || hex.EncodeToString(dst) != text {
		d.bad = true
	}
}

func (d *document) head(name string) Head {
	var h Head
	i := d.Member(0, name)
	if !d.is(i, jsondoc.Object) || d.Len(i) != 3 {
		d.bad = true
		return Head{}
	}
	d.hex(d.Member(i, "last"), h.Last[:])
	d.hex(d.Member(i, "root"), h.Root[:])
	if seq := d.Member(i, "seq"); d.is(seq, jsondoc.Number) {
		var err error
		if h.Seq, err = strconv.ParseUint(d.Nodes[seq].Text, 10, 64); err != nil || strconv.FormatUint(h.Seq, 10) != d.Nodes[seq].Text {
			d.bad = true
		}
	}
	return h
}

func (d *document) path(name string) []Hash {
	i := d.Member(0, name)
	if !d.is(i, jsondoc.Array) || d.Len(i) > maxPath {
		d.bad = true
		return nil
	}
	var path []Hash
	for _, child := range d.Children(i) {
		var h Hash
		d.hex(child, h[:])
		path = append(path, h)
	}
	return path
}
