package privacy

import (
	"reflect"
	"slices"
	"strings"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/retention"
)

// Revise is the same policy under another version, as a compiler would have made it.
func Revise(b *Bundle, version uint64) (*Bundle, error) {
	changed := *b.b
	changed.Version = version
	data, err := changed.Encode()
	if err != nil {
		return nil, err
	}
	return ReadBundle(data)
}

// Unopenable is a whole bundle of a policy that cannot be put together.
func Unopenable(b *Bundle, version uint64) (*Bundle, error) {
	changed := *b.b
	changed.Retention = append(changed.Retention[:0:0], changed.Retention...)
	changed.Retention[0].Period = "no period"
	return Revise(&Bundle{b: &changed}, version)
}

// RetentionOf are the retention rules of a bundle, and how many options it has.
func RetentionOf(b *Bundle) ([]retention.Rule, int, error) {
	rules, options, err := retentionRules(b.b)
	return rules, len(options), err
}

// Malform puts a word into one part of the retention of a bundle.
func Malform(b *Bundle, part string) (*Bundle, error) {
	const word = "canary"
	changed := *b.b
	changed.Retention = slices.Clone(changed.Retention)
	changed.Calendars = slices.Clone(changed.Calendars)
	switch part {
	case "HoldGrace":
		changed.HoldGrace = word
	case "Free":
		changed.Calendars[0].Free = []int64{2, 1}
	case "Copies":
		changed.Retention[0].Copies = []string{word}
	case "Offsets":
		changed.Retention[1].Schedule.Offsets = []string{word}
	case "consent.NoticeLead":
		changed.NoticeLead = -5
	case "consent.Limit", "consent.Period":
		changed.Obligations = slices.Clone(changed.Obligations)
		last := &changed.Obligations[len(changed.Obligations)-1]
		reflect.ValueOf(last).Elem().FieldByName(strings.TrimPrefix(part, "consent.")).SetString(word)
	case "consent.Place":
		changed.Ages.Rules = slices.Clone(changed.Ages.Rules)
		changed.Ages.Rules[0].Place = word
	case "consent.Mechanism":
		changed.Regimes.Rules = slices.Clone(changed.Regimes.Rules)
		changed.Regimes.Rules[0].Mechanism = word
	case "consent.Topic":
		changed.Topics = slices.Clone(changed.Topics)
		changed.Topics[0].Value = word + " " + word
	default:
		reflect.ValueOf(&changed.Retention[0]).Elem().FieldByName(part).SetString(word)
	}
	data, err := changed.Encode()
	if err != nil {
		return nil, err
	}
	return ReadBundle(data)
}

// ConsentOf is the consent policy of a bundle.
func ConsentOf(b *Bundle) consent.Policy { return consentPolicy(b.b) }
