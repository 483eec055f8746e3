package privacy

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/retention"
)

// A condition is a compiled expression over what a policy may see of a request.
type condition struct {
	prog *expr.Program
	uses []int // the slots that it reads, in order
}

func newCondition(p *expr.Program) *condition {
	if p == nil {
		return nil
	}
	c := &condition{prog: p}
	for slot, used := range p.Vars() {
		if used {
			c.uses = append(c.uses, slot)
		}
	}
	return c
}

// readsOnly tells whether the condition reads nothing but one variable.
func (c *condition) readsOnly(slot int) bool {
	return c == nil || len(c.uses) == 0 || len(c.uses) == 1 && c.uses[0] == slot
}

// reads tells whether the condition reads a variable.
func (c *condition) reads(slot int) bool { return c != nil && slices.Contains(c.uses, slot) }

// A frame is the reusable memory of one evaluation.
type frame struct {
	expr.Frame
	attr, context expr.StrMap
}

var frames = sync.Pool{New: func() any {
	f := new(frame)
	f.Vars = make([]expr.Value, profile.PolicyVars)
	f.Host = profile.PolicyHost{}
	return f
}}

// errCondition stands for every failure of a condition: the cause could speak of
// data, and the caller adds the rule.
var errCondition = errors.New("privacy: a condition could not be evaluated; guard it, for example with has(subject.attr.key) && …")

func (c *condition) eval(r *consent.Request) (expr.Value, error) {
	f := frames.Get().(*frame)
	defer frames.Put(f)
	for _, slot := range c.uses {
		f.Vars[slot] = f.variable(slot, r)
	}
	v, code := f.Eval(c.prog)
	if code != expr.OK {
		return expr.Value{}, errCondition
	}
	return v, nil
}

// variable is what a policy sees of the request in one slot.
func (f *frame) variable(slot int, r *consent.Request) expr.Value {
	switch slot {
	case profile.PolicyCategory:
		return expr.String(r.Category)
	case profile.PolicyClass:
		return expr.String(r.Class)
	case profile.PolicyPurpose:
		return expr.String(r.Purpose)
	case profile.PolicyFeature:
		return expr.String(r.Feature)
	case profile.PolicyOperation:
		return expr.String(string(r.Operation))
	case profile.PolicyQualifier:
		return expr.String(string(r.Qualifier))
	case profile.PolicyOrigin:
		return expr.String(r.Origin)
	case profile.PolicyRecipientRole:
		return expr.String(r.Recipient.Role)
	case profile.PolicyRecipientID:
		return expr.String(r.Recipient.ID)
	case profile.PolicySubjectAccount:
		return expr.String(r.Subject.Account)
	case profile.PolicySubjectTenant:
		return expr.String(r.Subject.Tenant)
	case profile.PolicySubjectAgeBand:
		return expr.String(r.Subject.AgeBand)
	case profile.PolicySubjectResidence:
		return expr.String(r.Subject.Residence)
	case profile.PolicyRegion:
		return expr.String(r.Region)
	case profile.PolicySubjectAttr:
		return show(&f.attr, r.Subject.Attr)
	case profile.PolicyContext:
		return show(&f.context, r.Context)
	}
	return expr.Value{}
}

func show(m *expr.StrMap, from map[string]string) expr.Value {
	m.Reset()
	for k, v := range from {
		m.Set(k, v)
	}
	return expr.StringMap(m)
}

// holds tells whether the condition is true; an absent condition is.
func (c *condition) holds(r *consent.Request) (bool, error) {
	if c == nil {
		return true, nil
	}
	v, err := c.eval(r)
	return v.AsBool(), err
}

func (c *condition) forConsent() consent.Condition {
	if c == nil {
		return consent.Condition{}
	}
	return consent.Condition{Text: c.prog.Source, Func: c.holds}
}

func (c *condition) forRetention() retention.Condition {
	if c == nil {
		return retention.Condition{}
	}
	return retention.Condition{Text: c.prog.Source, Func: func(in *retention.Input) (bool, error) {
		return c.holds(requestOf(in))
	}}
}

// requestOf is what conditions of retention rules see: the request that the plan
// is made for, or what the input itself says.
func requestOf(in *retention.Input) *consent.Request {
	switch r := in.Request.(type) {
	case *decided:
		return r.request
	case *consent.Request:
		if r != nil {
			return r
		}
	}
	r := &consent.Request{Category: in.Category, Class: in.Class, Purpose: in.Purpose, Region: in.Region}
	r.Subject.Tenant = in.Tenant
	for k, v := range in.Attr {
		if s, ok := v.(string); ok {
			if r.Subject.Attr == nil {
				r.Subject.Attr = map[string]string{}
			}
			r.Subject.Attr[k] = s
		}
	}
	return r
}

// place makes a place of residency from an expression; a constant text is one
// name, or several with commas between.
func (c *condition) place() consent.Place {
	if c == nil {
		return consent.Place{}
	}
	if len(c.uses) == 0 {
		if v, err := c.eval(new(consent.Request)); err == nil {
			names := strings.Split(v.AsString(), ",")
			for i := range names {
				names[i] = strings.TrimSpace(names[i])
			}
			return consent.Place{In: names, Text: c.prog.Source}
		}
	}
	return consent.Place{Text: c.prog.Source, Func: func(r *consent.Request) (string, error) {
		v, err := c.eval(r)
		return v.AsString(), err
	}}
}
