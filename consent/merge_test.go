package consent_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/privetdev/privet/consent"
)

// An anonymous device becomes known: of each scope the more restrictive answer up
// to then counts, later answers as ever.
func TestMerge(t *testing.T) {
	at := func(r consent.Record, day int) consent.Record {
		r.Given = date(2026, 1, day)
		r.ID += "-" + r.Given.Format("02")
		return r
	}
	yes, no, gone := grant("p"), refusal("p", consent.StateDenied), refusal("p", consent.StateWithdrawn)
	weak, brief := yes, yes
	weak.Strength, brief.Expires = consent.Implied, date(2026, 2, 1)
	email := no
	email.Channel = "email"
	for _, tt := range []struct {
		name           string
		person, device []consent.Record
		want           consent.Reason
		reason         string
	}{
		{"only the device answered", nil, []consent.Record{at(yes, 3)}, consent.ReasonConsent, "a side without an answer does not count"},
		{"only the person answered", []consent.Record{at(yes, 3)}, nil, consent.ReasonConsent, "same"},
		{"device refused first", []consent.Record{at(yes, 5)}, []consent.Record{at(no, 3)}, consent.ReasonRefused, "the more restrictive, not the later"},
		{"device refused last", []consent.Record{at(yes, 3)}, []consent.Record{at(no, 5)}, consent.ReasonRefused, "the more restrictive"},
		{"person refused", []consent.Record{at(gone, 3)}, []consent.Record{at(yes, 5)}, consent.ReasonWithdrawn, "the more restrictive"},
		{"device turned it back itself", []consent.Record{at(yes, 3)}, []consent.Record{at(no, 2), at(yes, 4)}, consent.ReasonConsent, "each side's last answer"},
		{"granted after the merge", []consent.Record{at(yes, 3), at(yes, 12)}, []consent.Record{at(no, 5)}, consent.ReasonConsent, "a later answer counts as ever"},
		{"granted on the device after the merge", []consent.Record{at(no, 3)}, []consent.Record{at(yes, 12)}, consent.ReasonConsent, "it is the person's by then"},
		{"at the instant of the merge", []consent.Record{at(no, 3)}, []consent.Record{at(yes, 10)}, consent.ReasonRefused, "up to the merge, with it"},
		{"refused after the merge", []consent.Record{at(yes, 3)}, []consent.Record{at(yes, 5), at(no, 12)}, consent.ReasonRefused, "as ever"},
		{"weaker", []consent.Record{at(yes, 5)}, []consent.Record{at(weak, 3)}, consent.ReasonConsentUnset, "the weaker of two consents"},
		{"shorter", []consent.Record{at(yes, 5)}, []consent.Record{at(brief, 3)}, consent.ReasonConsentExpired, "the one that ends sooner"},
		{"another scope", []consent.Record{at(yes, 5)}, []consent.Record{at(email, 3)}, consent.ReasonRefused, "a refusal by email reaches what names no channel"},
		{"no answer yet", []consent.Record{at(yes, 5)}, []consent.Record{at(refusal("p", consent.StateRequested), 7)}, consent.ReasonConsent, "a question is no answer"},
	} {
		f := consent.Facts{Records: tt.person, Merged: []consent.Merge{{At: date(2026, 1, 10), Records: tt.device}}}
		d := ask(t, consent.Policy{Purposes: []consent.Purpose{{Key: "p"}}}, f, consent.Request{Purpose: "p"})
		assert.Equal(t, tt.want, d.Reason, "%s: %s", tt.name, tt.reason)
	}
	// Two devices, one after the other.
	f := consent.Facts{
		Records: []consent.Record{at(yes, 3), at(yes, 12)},
		Merged: []consent.Merge{
			{At: date(2026, 1, 15), Records: []consent.Record{at(yes, 4)}},
			{At: date(2026, 1, 10), Records: []consent.Record{at(no, 5)}},
		},
	}
	p := consent.Policy{Purposes: []consent.Purpose{{Key: "p"}}}
	assert.Equal(t, consent.ReasonConsent, ask(t, p, f, consent.Request{Purpose: "p"}).Reason, "granted between the two")
	f.Merged[0].Records = append(f.Merged[0].Records, at(gone, 6))
	assert.Equal(t, consent.ReasonWithdrawn, ask(t, p, f, consent.Request{Purpose: "p"}).Reason, "the second device's own history is older and still counts")
	assert.Equal(t, date(2026, 1, 15), f.Merged[0].At, "the facts are not sorted in place")
}
