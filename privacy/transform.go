package privacy

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// A transform is an operator with the condition under which it is used.
type transform struct {
	bundle.Transform
	when *condition
}

// Why an operator could not do what the policy asked for. The value is dropped
// then: nothing passes because it was in the wrong form.
const (
	noteNotCanonical  = "NOT_CANONICAL"  // a pseudonym needs the value in its standard form
	noteNoSecrets     = "NO_SECRETS"     // the guard was opened without WithSecrets
	noteNoTenant      = "NO_TENANT"      // the event has no subject.tenant or no purpose, so there is no scope
	noteNoKey         = "NO_KEY"         // the tenant has no live secret
	noteTooLong       = "TOO_LONG"       // longer than what is looked into
	noteNotApplicable = "NOT_APPLICABLE" // the operator is for values of another kind
)

// An outcome of an operator.
type output struct {
	action Action
	text   string
	number bool // text is a number in JSON
	note   string
}

func dropped(note string) output { return output{action: Drop, note: note} }

// otherwise is what operators are by where the policy names none.
const otherwise = "otherwise"

// An operator is what to do to a value, and who says so.
type operator struct {
	do    string
	arg   int64
	by    string
	scope string // of pseudonyms; empty: the event's purposes
}

// transform carries an operator out on one value or on a piece of a text.
func (r *run) transform(op operator, category, text string, kind jsondoc.Kind) (output, error) {
	do, arg := op.do, op.arg
	scalar := kind == jsondoc.String || kind == jsondoc.Number
	switch {
	case do == "drop":
		return output{action: Drop}, nil
	case do == "redact":
		s, _ := pseudonym.Redact()
		return output{action: Redact, text: s}, nil
	case !scalar:
		return dropped(noteNotApplicable), nil
	}
	switch do {
	case "pseudonymise":
		return r.pseudonymise(op.scope, category, text)
	case "mask":
		s, _ := pseudonym.Mask(text, int(arg))
		return output{action: Mask, text: s}, nil
	}
	var s string
	var err error
	number := false
	switch do {
	case "coordinates":
		s, _, err = pseudonym.RoundCoordinate(text, int(arg))
		number = kind == jsondoc.Number
	case "truncate_ip":
		s, _, err = pseudonym.TruncateIP(text)
	case "year":
		s, _, err = pseudonym.DateToYear(text)
	case "month":
		s, _, err = pseudonym.DateToMonth(text)
	case "quarter":
		s, _, err = pseudonym.DateToQuarter(text)
	case "top_code_age":
		s, _, err = pseudonym.TopCodeAge(text)
	case "zip3":
		s, _, err = pseudonym.ZIP3(text)
	case "bucket":
		s, _, err = pseudonym.Bucket(text, strconv.FormatInt(arg, 10))
	default:
		err = errors.New("privacy: unknown operator")
	}
	if err != nil {
		return dropped(noteNotApplicable), nil
	}
	return output{action: Generalise, text: s, number: number}, nil
}

// pseudonymise makes the token of a value, in the scope of the event's purposes if
// no other is named.
func (r *run) pseudonymise(scope, category, text string) (output, error) {
	purpose := r.ev.Purpose
	if scope != "" {
		purpose = scope
	} else if len(r.ev.Purposes) > 0 {
		// Several purposes together are a scope of their own: what is made for all
		// of them joins with none of them alone.
		all := append([]string{}, r.ev.Purposes...)
		if purpose != "" {
			all = append(all, purpose)
		}
		slices.Sort(all)
		purpose = strings.Join(slices.Compact(all), "+")
	}
	if r.g.pseudonyms.store == nil {
		return dropped(noteNoSecrets), nil
	}
	if r.ev.Subject.Tenant == "" || purpose == "" || category == "" {
		return dropped(noteNoTenant), nil
	}
	p, err := r.g.pseudonyms.of(r.ctx, pseudonym.Scope{Tenant: r.ev.Subject.Tenant, Purpose: purpose, Category: category}, &r.secrets)
	switch {
	case outOfUse(err):
		return dropped(noteNoKey), nil
	case errors.Is(err, pseudonym.ErrScope):
		return dropped(noteNoTenant), nil
	case err != nil:
		return output{}, err
	}
	token, err := p.Append(make([]byte, 0, 48), typed(category, text))
	if err != nil {
		return dropped(noteNotCanonical), nil
	}
	return output{action: Pseudonymise, text: string(token)}, nil
}
