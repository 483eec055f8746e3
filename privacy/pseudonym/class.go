package pseudonym

// Linkability says how far a value or a data set is from a person. The order is
// meaningful: a greater value is further away, and a record is as linkable as
// the least of its values.
//
// The zero value is [Linked], the one that grants nothing.
type Linkability uint8

const (
	// Linked data is in the clear, or generalised but not checked: it names or
	// may single out a person.
	Linked Linkability = iota

	// Linkable data is pseudonymous: somebody can still lead it back, because
	// the secret exists or the operation can be reversed. It is personal data.
	Linkable

	// Unlinkable data cannot be led back by anybody: nothing of the value is
	// left, or its secret is destroyed and the values beside it were checked not
	// to single anyone out.
	Unlinkable

	// Aggregate data is about groups large enough to hide each member.
	Aggregate
)

// String returns the name in lower case, or "invalid".
func (l Linkability) String() string {
	switch l {
	case Linked:
		return "linked"
	case Linkable:
		return "linkable"
	case Unlinkable:
		return "unlinkable"
	case Aggregate:
		return "aggregate"
	}
	return "invalid"
}

// Loss says how much of a value an operator takes away. The zero value is
// [LossNone].
type Loss uint8

const (
	LossNone    Loss = iota // the value can be told from the result
	LossPartial             // several values give the same result
	LossTotal               // the result is the same for every value
)

// String returns the name in lower case, or "invalid".
func (l Loss) String() string {
	switch l {
	case LossNone:
		return "none"
	case LossPartial:
		return "partial"
	case LossTotal:
		return "total"
	}
	return "invalid"
}

// Class describes what an operator did to one value. It is about that value
// alone: what several values together give away is a question for the data set.
//
// The zero value claims nothing: linked, not reversible, nothing lost.
type Class struct {
	Linkability Linkability
	Reversible  bool // somebody with the right secret can restore the value
	Loss        Loss
}

// A generalised value is still in the clear. Only a check over the data set can
// say that it no longer singles anyone out, so no operator claims it by itself.
var generalised = Class{Linkability: Linked, Loss: LossPartial}
