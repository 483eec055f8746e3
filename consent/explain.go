package consent

import (
	"strconv"
	"strings"
	"time"

	"github.com/privetdev/privet/internal/jsondoc"
)

// meaning is a reason in plain words.
func (r Reason) meaning() string {
	switch r {
	case ReasonPolicyUnavailable:
		return "there is no policy to decide by"
	case ReasonInvalidRequest:
		return "the request is malformed"
	case ReasonUnknownPurpose:
		return "the policy declares no such purpose"
	case ReasonNotPersonal:
		return "the data is no longer personal, by a recorded result in force"
	case ReasonProhibited:
		return "it is prohibited, and consent cannot change that"
	case ReasonNotDeclared:
		return "it lies outside what was declared"
	case ReasonResidency:
		return "the place is not one where this data may be"
	case ReasonRuleError:
		return "a rule of the policy could not be evaluated"
	case ReasonLegalObligation:
		return "the law requires it"
	case ReasonVitalInterest:
		return "somebody's life is at stake"
	case ReasonAdminDisabled:
		return "an administrator switched the feature off"
	case ReasonFeatureOff:
		return "the feature is switched off"
	case ReasonErased:
		return "the person's data was erased"
	case ReasonRestricted:
		return "processing is restricted at the person's request"
	case ReasonWithdrawn:
		return "consent was withdrawn"
	case ReasonRefused:
		return "the person refused"
	case ReasonObjected:
		return "the person objected"
	case ReasonGuardianRequired:
		return "at this age a guardian must consent"
	case ReasonAgeUnknown:
		return "the age must be known, and is not"
	case ReasonSignalGPC:
		return "Global Privacy Control is on"
	case ReasonSignalGPP:
		return "a Global Privacy Platform string opts out"
	case ReasonSignalUSP:
		return "a US Privacy string opts out"
	case ReasonSignalOverridden:
		return "a later consent goes before the signal"
	case ReasonExplicitConsentRequired:
		return "explicit consent is required"
	case ReasonPromotionNeedsConsent:
		return "moving the data to another class needs a consent that covers it"
	case ReasonCombinationNeedsConsent:
		return "combining the data needs a consent that covers every origin"
	case ReasonShareNeedsConsent:
		return "sharing needs a consent that covers the recipient and every attribute"
	case ReasonConsent:
		return "the person consented"
	case ReasonConsentUnset:
		return "the person has not consented"
	case ReasonConsentExpired:
		return "the consent has expired"
	case ReasonConsentStale:
		return "the notice has changed materially since the consent"
	case ReasonContract:
		return "it is necessary for the contract"
	case ReasonEssential:
		return "an essential feature needs it"
	case ReasonLegitimateInterest:
		return "there is a legitimate interest with an assessment"
	case ReasonPublicTask:
		return "it is a public task laid down by law"
	case ReasonOptOutDefault:
		return "it is allowed unless refused, and nobody refused"
	case ReasonDefaultDeny:
		return "nothing allows it"
	}
	return "nothing was decided"
}

// Explain says the decision and its grounds for a person, over several lines that
// end with no newline. It contains texts of the policy and ids of records, and
// nothing else of the request. The wording may change; programs read the fields.
func (d Decision) Explain() string {
	var b strings.Builder
	d.explain(&b, "")
	return b.String()
}

func (d *Decision) explain(b *strings.Builder, indent string) {
	parts := func(list ...string) {
		for _, s := range list {
			b.WriteString(s)
		}
	}
	line := func(list ...string) {
		parts("\n", indent, "  ")
		parts(list...)
	}
	parts(indent, d.Outcome.String(), ": ", d.Reason.meaning(), " (", string(d.Reason), ", row ", strconv.Itoa(d.Row), ")")
	if d.Purpose != "" {
		line("purpose ", d.Purpose)
		if d.Basis != "" {
			parts(" on ", string(d.Basis))
		}
		if d.Regime != "" {
			parts(", regime ", string(d.Regime))
		}
	}
	if d.Rule != "" {
		if d.Reason == ReasonInvalidRequest {
			line("part ", d.Rule)
		} else {
			line("rule ", d.Rule)
		}
		if d.Source != "" {
			parts(" of ", d.Source)
		}
		if d.Note != "" {
			parts(": ", d.Note)
		}
	}
	for _, r := range d.Evidence {
		line("by ", r.Kind, " ", r.ID)
	}
	for _, s := range d.Overridden {
		line("not counted: ", string(s.Reason))
		if s.Rule != "" {
			parts(" of ", s.Rule)
		}
		parts(": ", s.Note)
	}
	if a := d.Ask; a != nil {
		from := "the " + a.From
		if a.From == string(ByBoth) {
			from = "the subject and the guardian"
		}
		line("ask ", from, " for ", string(a.Strength), " consent to ", string(a.What), " for ", strings.Join(a.Purposes, ", "))
	}
	for _, o := range d.Obligations {
		line("must ", string(o.Kind))
		if len(o.Values) > 0 {
			parts(" ", strings.Join(o.Values, ", "))
		}
		if o.Period != "" {
			parts(" ", o.Period)
			if o.Anchor != "" {
				parts(" from ", o.Anchor)
			}
			if o.Limit != "" {
				parts(" (", o.Strength, " ", o.Limit, ")")
			}
		}
		parts(", by rule ", o.Rule)
	}
	if !d.NotAfter.IsZero() {
		line("holds until ", d.NotAfter.UTC().Format(time.RFC3339Nano))
	}
	for i := range d.ByPurpose {
		b.WriteByte('\n')
		d.ByPurpose[i].explain(b, indent+"  ")
	}
}

// AppendJSON appends the decision as a JSON object with sorted keys; what is empty
// is left out, except outcome, reason and row. Equal decisions give equal bytes.
func (d Decision) AppendJSON(dst []byte) []byte {
	w := jsondoc.Writer{Buf: dst}
	d.write(&w)
	return w.Buf
}

func (d *Decision) write(w *jsondoc.Writer) {
	w.Open('{')
	if a := d.Ask; a != nil {
		w.Key("ask")
		w.Open('{')
		text(w, "from", a.From)
		texts(w, "purposes", a.Purposes)
		text(w, "strength", string(a.Strength))
		text(w, "what", string(a.What))
		w.Close('}')
	}
	text(w, "basis", string(d.Basis))
	if len(d.ByPurpose) > 0 {
		w.Key("by_purpose")
		w.Open('[')
		for i := range d.ByPurpose {
			d.ByPurpose[i].write(w)
		}
		w.Close(']')
	}
	if len(d.Evidence) > 0 {
		w.Key("evidence")
		w.Open('[')
		for _, r := range d.Evidence {
			w.Open('{')
			text(w, "id", r.ID)
			text(w, "kind", r.Kind)
			w.Close('}')
		}
		w.Close(']')
	}
	text(w, "ledger_head", d.LedgerHead)
	if !d.NotAfter.IsZero() {
		text(w, "not_after", d.NotAfter.UTC().Format(time.RFC3339Nano))
	}
	text(w, "note", d.Note)
	if len(d.Obligations) > 0 {
		w.Key("obligations")
		w.Open('[')
		for i := range d.Obligations {
			o := &d.Obligations[i]
			w.Open('{')
			text(w, "anchor", o.Anchor)
			text(w, "kind", string(o.Kind))
			text(w, "limit", o.Limit)
			text(w, "period", o.Period)
			text(w, "rule", o.Rule)
			text(w, "source", o.Source)
			text(w, "strength", o.Strength)
			texts(w, "values", o.Values)
			w.Close('}')
		}
		w.Close(']')
	}
	w.Key("outcome")
	w.String(d.Outcome.String())
	if len(d.Overridden) > 0 {
		w.Key("overridden")
		w.Open('[')
		for _, s := range d.Overridden {
			w.Open('{')
			text(w, "note", s.Note)
			text(w, "reason", string(s.Reason))
			w.Key("row")
			w.Raw(strconv.Itoa(s.Row))
			text(w, "rule", s.Rule)
			w.Close('}')
		}
		w.Close(']')
	}
	text(w, "policy_hash", d.PolicyHash)
	text(w, "purpose", d.Purpose)
	w.Key("reason")
	w.String(string(d.Reason))
	text(w, "regime", string(d.Regime))
	w.Key("row")
	w.Raw(strconv.Itoa(d.Row))
	text(w, "rule", d.Rule)
	text(w, "source", d.Source)
	w.Close('}')
}

func text(w *jsondoc.Writer, key, value string) {
	if value != "" {
		w.Key(key)
		w.String(value)
	}
}

func texts(w *jsondoc.Writer, key string, list []string) {
	if len(list) > 0 {
		w.Key(key)
		w.Open('[')
		for _, s := range list {
			w.String(s)
		}
		w.Close(']')
	}
}
