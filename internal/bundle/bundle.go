// Package bundle is the wire format of a compiled policy: plain data with one
// spelling, a format number, a fingerprint.
//
//	bytes 0–7    "privet" 00 42
//	bytes 8–9    format, big endian: the lowest that can say what the bundle says
//	bytes 10–11  CEL profile, big endian: what the expressions need
//	bytes 12–15  length of the body, big endian
//	body         fields in a fixed order: varints, length-prefixed texts, lists
//	last 32      SHA-256 of everything before
//
// The same policy gives the same bytes, and decoding then encoding gives the
// bytes that were read. A signed bundle is this in an envelope; see [FormatSigned].
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// The numbers of the wire format of a bundle without signature. A bundle has the
// lowest that can say what it says.
const (
	Format      = 1
	FormatTerms = 3 // with the section of [Terms]
	// FormatConsent has the section of [Duty], [Ages], [Regimes] and what else consent
	// policies did not have at first.
	FormatConsent = 4
)

// newest is the highest format that is known here, envelopes included.
const newest = FormatConsent

const (
	magic  = "privet\x00\x42"
	header = len(magic) + 2 + 2 + 4
)

// Why bytes are not a bundle that can be opened.
var (
	ErrNotBundle = errors.New("bundle: these bytes are not a privet bundle; make one with: privet compile")
	ErrNewer     = errors.New("bundle: made for a newer version of privet; update privet, or compile the policy with this version")
	ErrTruncated = errors.New("bundle: the bytes end too early; copy or download the file again")
	ErrCorrupt   = errors.New("bundle: the bytes were changed after the bundle was made; copy or download the file again")
	ErrTooLarge  = errors.New("bundle: larger than 16 MiB")
)

// A Bundle is a compiled policy.
type Bundle struct {
	Name           string
	Version        uint64
	Effective      int64 // seconds since 1970 UTC; 0: from the start
	Sources        []Source
	Applies        []Clause
	Classification Classification
	Purposes       []Purpose
	Classes        []Class
	Features       []Feature
	DataSources    []DataSource
	Prohibitions   []Clause
	Requirements   []Requirement
	Residency      []Residency
	Gates          Gates
	Promotions     []Promotion
	Obligations    []Obligation
	Notices        []Notice
	Transforms     []Transform
	Otherwise      Otherwise
	Retention      []Retention
	Withhold       []Clause // from an export
	Calendars      []Calendar
	HoldGrace      string // a period; empty: that of package retention
	Topics         []Pair // id of a rule of consent → its family of rules; in the order of the rules
	Duties         []Duty
	Recipients     []RecipientRule
	Overrides      []Override
	Ages           Ages
	Regimes        Regimes
	Sensitive      []string
	NoticeLead     int64 // seconds; 0: that of package consent, -1: none
}

// Encode writes the bundle. It fails only when the bundle is too large.
func (b *Bundle) Encode() ([]byte, error) {
	c := codec{buf: make([]byte, header, 4096)}
	b.walk(&c)
	body := len(c.buf) - header
	if len(c.buf) > maxBundle-sha256.Size {
		return nil, ErrTooLarge
	}
	copy(c.buf, magic)
	binary.BigEndian.PutUint16(c.buf[8:], b.format())
	binary.BigEndian.PutUint16(c.buf[10:], profile.Version)
	binary.BigEndian.PutUint32(c.buf[12:], uint32(body))
	sum := sha256.Sum256(c.buf)
	return append(c.buf, sum[:]...), nil
}

// Decode reads a bundle, with or without a signature, which it does not check. The
// error is one of this package's.
func Decode(data []byte) (*Bundle, error) {
	data, _, err := Split(data)
	if err != nil {
		return nil, err
	}
	if err := frame(data, 0, maxBundle); err != nil {
		return nil, err
	}
	c := codec{buf: data[header : len(data)-sha256.Size], reading: true}
	b := new(Bundle)
	b.walk(&c)
	// A number that no version has written for such a body is no other spelling of it.
	if c.failed || len(c.buf) > 0 || binary.BigEndian.Uint16(data[8:]) != b.format() {
		return nil, ErrCorrupt
	}
	return b, nil
}

// frame checks what a bundle and an envelope have in common: head, length and
// checksum. After the length of the body, extra bytes follow before the checksum.
func frame(data []byte, extra, limit int) error {
	switch {
	case len(data) < len(magic) && bytes.HasPrefix([]byte(magic), data) && len(data) > 0:
		return ErrTruncated
	case !bytes.HasPrefix(data, []byte(magic)):
		return ErrNotBundle
	case len(data) < header:
		return ErrTruncated
	case binary.BigEndian.Uint16(data[8:]) > newest || binary.BigEndian.Uint16(data[10:]) > profile.Version:
		return ErrNewer
	case len(data) > limit:
		return ErrTooLarge
	}
	body := uint64(binary.BigEndian.Uint32(data[12:]))
	end := len(data) - sha256.Size
	switch want := uint64(header+extra) + body; {
	case uint64(len(data)) < want+sha256.Size:
		return ErrTruncated
	case uint64(len(data)) > want+sha256.Size || sha256.Sum256(data[:end]) != [sha256.Size]byte(data[end:]):
		return ErrCorrupt
	case binary.BigEndian.Uint16(data[10:]) != profile.Version:
		return ErrCorrupt // a number that no version has written
	}
	return nil
}

// Fingerprint is the SHA-256 that ends a bundle without signature, in lower-case
// hex. It names the content: signing a bundle does not change it.
func Fingerprint(content []byte) string {
	if len(content) < sha256.Size {
		return ""
	}
	return hex.EncodeToString(content[len(content)-sha256.Size:])
}

func (b *Bundle) walk(c *codec) {
	c.str(&b.Name)
	c.u64(&b.Version)
	c.i64(&b.Effective)
	list(c, &b.Sources, func(c *codec, s *Source) {
		c.str(&s.ID)
		c.str(&s.Title)
		c.str(&s.Layer)
		c.str(&s.AsOf)
		c.facts(&s.Facts)
	})
	list(c, &b.Applies, (*codec).clause)
	b.Classification.walk(c)
	list(c, &b.Purposes, func(c *codec, p *Purpose) {
		for _, s := range []*string{&p.Key, &p.Basis, &p.Mechanism, &p.Strength, &p.Assessment, &p.Notice, &p.Text, &p.Source} {
			c.str(s)
		}
		c.strs(&p.Channels)
		c.strs(&p.Signals)
		list(c, &p.Maps, (*codec).pair)
		c.facts(&p.Facts)
	})
	list(c, &b.Classes, func(c *codec, k *Class) {
		c.str(&k.Key)
		c.str(&k.Source)
		c.strs(&k.Purposes)
		c.flag(&k.Necessary)
		c.facts(&k.Facts)
	})
	list(c, &b.Features, func(c *codec, f *Feature) {
		c.str(&f.Key)
		c.str(&f.Source)
		c.str(&f.Kind)
		c.str(&f.Sync)
		c.flag(&f.AdminCanDisable)
		c.strs(&f.Purposes)
		c.strs(&f.Categories)
		c.strs(&f.Classes)
		c.facts(&f.Facts)
	})
	list(c, &b.DataSources, func(c *codec, s *DataSource) {
		c.str(&s.Key)
		c.str(&s.Source)
		c.str(&s.Parent)
		c.strs(&s.Purposes)
		c.strs(&s.Categories)
		c.facts(&s.Facts)
	})
	list(c, &b.Prohibitions, (*codec).clause)
	list(c, &b.Requirements, func(c *codec, r *Requirement) {
		c.clause(&r.Clause)
		c.str(&r.Strength)
	})
	list(c, &b.Residency, func(c *codec, r *Residency) {
		c.clause(&r.Clause)
		c.place(&r.StoreIn)
		c.place(&r.StaffIn)
	})
	c.str(&b.Gates.Promotion)
	c.str(&b.Gates.Combination)
	c.str(&b.Gates.Share)
	c.facts(&b.Gates.Facts)
	list(c, &b.Promotions, func(c *codec, p *Promotion) {
		c.str(&p.ID)
		c.str(&p.Source)
		c.str(&p.Note)
		c.strs(&p.From)
		c.str(&p.To)
		c.strs(&p.Kinds)
		c.str(&p.Purpose)
		c.facts(&p.Facts)
	})
	list(c, &b.Obligations, func(c *codec, o *Obligation) {
		c.clause(&o.Clause)
		c.str(&o.Do)
		c.str(&o.Arg)
	})
	list(c, &b.Notices, func(c *codec, n *Notice) {
		c.str(&n.ID)
		c.str(&n.Version)
		c.i64(&n.Published)
		c.i64(&n.Effective)
		c.flag(&n.Material)
	})
	list(c, &b.Transforms, func(c *codec, t *Transform) {
		c.clause(&t.Clause)
		c.str(&t.Do)
		c.i64(&t.Arg)
	})
	c.str(&b.Otherwise.Allow)
	c.str(&b.Otherwise.Ask)
	c.str(&b.Otherwise.Deny)
	c.str(&b.Otherwise.Unclassified)
	list(c, &b.Retention, func(c *codec, r *Retention) {
		c.clause(&r.Clause)
		for _, s := range []*string{&r.Topic, &r.Kind, &r.Strength, &r.Category, &r.Anchor, &r.After, &r.Period, &r.Zone, &r.MonthEnd} {
			c.str(s)
		}
		c.strs(&r.Class)
		c.strs(&r.Region)
		c.strs(&r.Purpose)
	})
	list(c, &b.Withhold, (*codec).clause)
	b.walkLater(c)
}

// A pick is what a selection says of a detector.
type pick struct {
	detector uint64 // its place in the list
	floor    uint16
	muted    bool
}

// plain tells whether there is nothing that walkLater would write.
func (cl *Classification) plain() bool {
	for i := range cl.Detectors {
		if d := &cl.Detectors[i]; d.Floor != 0 || d.Muted {
			return false
		}
	}
	return len(cl.Adjust) == 0
}

// walkLater is the section of what classifications did not have at first.
func (cl *Classification) walkLater(c *codec) {
	var picks []pick
	for i := range cl.Detectors {
		if d := &cl.Detectors[i]; d.Floor != 0 || d.Muted {
			picks = append(picks, pick{uint64(i), d.Floor, d.Muted})
		}
	}
	list(c, &cl.Adjust, func(c *codec, a *Adjust) {
		c.str(&a.ID)
		c.strs(&a.Detectors)
		c.condition(profile.Match, &a.When)
		add := int64(a.Add)
		c.i64(&add)
		if a.Add = int16(add); int64(a.Add) != add {
			c.failed = true
		}
		c.str(&a.Reason)
	})
	list(c, &picks, func(c *codec, p *pick) {
		c.u64(&p.detector)
		c.u16(&p.floor)
		c.flag(&p.muted)
	})
	if !c.reading {
		return
	}
	for i, p := range picks {
		if p.detector >= uint64(len(cl.Detectors)) || i > 0 && p.detector <= picks[i-1].detector || p.floor == 0 && !p.muted {
			c.failed = true
			return
		}
		d := &cl.Detectors[p.detector]
		d.Floor, d.Muted = p.floor, p.muted
	}
}

func (cl *Classification) walk(c *codec) {
	list(c, &cl.Categories, func(c *codec, k *Category) {
		c.str(&k.Key)
		c.str(&k.ISO19944)
		c.str(&k.Qualifier)
		c.str(&k.Title)
	})
	list(c, &cl.Rules, func(c *codec, r *Rule) {
		c.str(&r.ID)
		c.str(&r.Category)
		c.u16(&r.Confidence)
		c.condition(profile.Field, &r.When)
	})
	list(c, &cl.Detectors, func(c *codec, d *Detector) {
		c.str(&d.ID)
		c.str(&d.Category)
		c.str(&d.Pattern)
		c.flag(&d.CaseSensitive)
		c.optional(profile.Match, &d.Check)
		c.strs(&d.Context)
		c.u16(&d.Base)
		c.u16(&d.Checked)
		c.u16(&d.Boost)
		c.strs(&d.Countries)
	})
	list(c, &cl.Suppress, func(c *codec, s *Suppress) {
		c.str(&s.ID)
		c.strs(&s.Detectors)
		c.condition(profile.Match, &s.When)
		c.str(&s.Reason)
	})
	c.u16(&cl.Threshold)
}

func (c *codec) clause(k *Clause) {
	c.str(&k.ID)
	c.str(&k.Source)
	c.optional(profile.Policy, &k.When)
	c.str(&k.Note)
	c.facts(&k.Facts)
}

func (c *codec) facts(f *Facts) { c.strs((*[]string)(f)) }

// optional is a condition that may be absent.
func (c *codec) optional(env *expr.Env, p **expr.Program) { c.typed(env, p, expr.TBool) }

// place is an expression that gives text, or nothing.
func (c *codec) place(p **expr.Program) { c.typed(profile.Policy, p, expr.TString) }

func (c *codec) typed(env *expr.Env, p **expr.Program, want expr.Type) {
	c.program(env, p)
	if c.reading && *p != nil && (*p).Result() != want {
		c.fail()
	}
}
