package privacy

import (
	"errors"
	"slices"
	"strings"

	"github.com/privetdev/privet/consent"
)

// The readers of this file are called for events and for requests; see
// decode_retention.go for why they are not put in line.

var (
	signalKinds = []string{consent.SignalGPC, consent.SignalGPP, consent.SignalUSP, consent.SignalDNT}
	optOuts     = []string{string(consent.UseSale), string(consent.UseShare), string(consent.UseTargetedAds), string(consent.UseProfiling), string(consent.UseSensitive)}
)

// oneOf reads a word of a closed set. A signal that was misspelt and skipped would
// allow what a person said no to.
func (d *decoder) oneOf(i int32, part string, words []string) string {
	s := d.str(i, part)
	if !slices.Contains(words, s) {
		d.fail(i, part, "not a word that is known here", "write one of: "+strings.Join(words, " "))
	}
	return s
}

//go:noinline
func (d *decoder) signals(i int32) (s consent.Signals) {
	d.members(i, "signals", maxList, func(key string, c int32) {
		switch key {
		case "gpc":
			s.GPC = d.bool(c, "signals.gpc")
		case "list":
			d.items(c, "signals.list", func(c int32) { s.List = append(s.List, d.signal(c)) })
		default:
			d.unknown(c, "signals", "gpc list")
		}
	})
	return s
}

func (d *decoder) signal(i int32) (s consent.Signal) {
	d.members(i, "signals.list", 8, func(key string, c int32) {
		switch part := "signals.list." + key; key {
		case "kind":
			s.Kind = d.oneOf(c, part, signalKinds)
		case "opt_out":
			d.items(c, part, func(c int32) { s.OptOut = append(s.OptOut, consent.Use(d.oneOf(c, part, optOuts))) })
		case "since":
			s.Since = d.time(c, part)
		case "source":
			s.Source = d.str(c, part)
		case "device":
			s.Device = d.str(c, part)
		default:
			d.unknown(c, "signals.list", "kind opt_out since source device")
		}
	})
	if s.Kind == "" {
		d.fail(i, "signals.list.kind", "is missing", "write one of: "+strings.Join(signalKinds, " "))
	}
	return s
}

//go:noinline
func (d *decoder) settings(i int32) (out []consent.Setting) {
	d.items(i, "settings", func(c int32) {
		var s consent.Setting
		d.members(c, "settings", 8, func(key string, c int32) {
			switch part := "settings." + key; key {
			case "feature":
				s.Feature = d.str(c, part)
			case "by":
				s.By = consent.Actor(d.str(c, part))
			case "on":
				s.On = d.bool(c, part)
			case "of":
				s.Of = consent.Aspect(d.str(c, part))
			case "collector":
				s.Collector = d.str(c, part)
			case "tenant":
				s.Tenant = d.str(c, part)
			case "device":
				s.Device = d.bool(c, part)
			default:
				d.unknown(c, "settings", "feature by on of collector tenant device")
			}
		})
		out = append(out, s)
	})
	return out
}

// merged reads the histories of devices; each has as many records as a subject may.
//
//go:noinline
func (d *decoder) merged(i int32) (out []consent.Merge) {
	d.items(i, "merged", func(c int32) {
		var m consent.Merge
		d.members(c, "merged", 2, func(key string, c int32) {
			switch key {
			case "at":
				m.At = d.time(c, "merged.at")
			case "consents":
				m.Records = d.records(c, "merged.consents")
			default:
				d.unknown(c, "merged", "at consents")
			}
		})
		out = append(out, m)
	})
	return out
}

//go:noinline
func (d *decoder) records(i int32, part string) (out []consent.Record) {
	d.items(i, part, func(c int32) { out = append(out, d.record(c)) })
	return out
}

// factKeys are what a host without a ledger says of the subject.
const factKeys = "claims consents erased merged restricted"

// fact reads one of them.
//
//go:noinline
func (d *decoder) fact(f *consent.Facts, key string, c int32) {
	switch key {
	case "claims":
		d.items(c, key, func(c int32) { f.Claims = append(f.Claims, d.claim(c)) })
	case "consents":
		f.Records = d.records(c, key)
	case "erased":
		f.Erased = d.bool(c, key)
	case "merged":
		f.Merged = d.merged(c)
	case "restricted":
		f.Restricted = d.bool(c, key)
	}
}

// brought makes a view of what came along with an event or a request; nil if nothing
// did.
func (g *Guard) brought(f *consent.Facts, by string) (*consent.View, *EventError) {
	if len(f.Records)+len(f.Merged)+len(f.Claims) == 0 && !f.Erased && !f.Restricted {
		return nil, nil
	}
	if g.ledger != nil {
		return nil, &EventError{Part: "consents", Offset: -1, Problem: "brought by the " + by + " beside a ledger", Mend: "record them in the ledger; they are for hosts without one"}
	}
	view, err := consent.NewView(*f)
	var fact *consent.FactError
	switch {
	case err == nil:
		return view, nil
	case errors.As(err, &fact):
		return nil, &EventError{Part: "consents", Offset: -1, Problem: fact.Path + " " + fact.Problem, Mend: fact.Mend}
	}
	return nil, &EventError{Part: "consents", Offset: -1, Problem: "not readable"}
}
