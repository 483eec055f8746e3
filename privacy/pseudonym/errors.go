package pseudonym

import (
	"context"
	"errors"
	"strconv"
)

var (
	// ErrUnknown reports a tenant or version that never had a secret.
	ErrUnknown = errors.New("pseudonym: secret unknown: add or generate one for this tenant")

	// ErrDestroyed reports a secret that was destroyed. It cannot come back:
	// tokens of that version can no longer be made.
	ErrDestroyed = errors.New("pseudonym: secret destroyed: use a newer version")

	// ErrPending reports a secret whose destruction was planned. It is out of use,
	// but not gone: calling the destruction off brings it back.
	ErrPending = errors.New("pseudonym: secret waits for its destruction: use a newer version, or call the destruction off")

	// ErrHeld reports a destruction that a hold forbids.
	ErrHeld = errors.New("pseudonym: destruction refused: a hold covers the secret: wait until it is lifted")

	// ErrExists reports an attempt to replace the secret of a version, which
	// would change the meaning of tokens already stored.
	ErrExists = errors.New("pseudonym: secret exists: add it under a new version")

	// ErrSecret reports bytes that cannot be a secret.
	ErrSecret = errors.New("pseudonym: secret not usable")

	// ErrScope reports a scope or tenant that cannot be used.
	ErrScope = errors.New("pseudonym: scope not usable")

	// ErrOption reports an option out of its range.
	ErrOption = errors.New("pseudonym: option not usable")

	// ErrToken reports text that is not a token in its only canonical spelling.
	ErrToken = errors.New("pseudonym: not a token")

	// ErrSealed reports text that [Reversible.Reveal] cannot read.
	ErrSealed = errors.New("pseudonym: sealed text not readable")

	// ErrMismatch reports a token that was not made from the value beside it.
	ErrMismatch = errors.New("pseudonym: the token is not of this value: look the record up by the value instead")

	// ErrPermission reports a relinking that nobody permitted.
	ErrPermission = errors.New("pseudonym: relinking not permitted")
)

// Code says why a value was refused. Codes are stable.
type Code uint8

const (
	_             Code = iota
	CodeNoType         // the zero Value, made by no constructor
	CodeEmpty          // nothing is left to pseudonymise
	CodeTooLong        // canonical form longer than MaxValue
	CodeNotUTF8        // text that is not valid UTF-8
	CodeNotInForm      // not written as its type requires
	CodeToken          // a token already, or sealed text, or a random token
)

// String returns a short name, such as "too-long".
func (c Code) String() string {
	switch c {
	case CodeNoType:
		return "no-type"
	case CodeEmpty:
		return "empty"
	case CodeTooLong:
		return "too-long"
	case CodeNotUTF8:
		return "not-utf8"
	case CodeNotInForm:
		return "not-in-form"
	case CodeToken:
		return "token"
	}
	return "invalid"
}

// A ValueError reports a value that has no canonical form. It says what is wrong
// in fixed words and never contains the value.
type ValueError struct {
	Type Type // type of the value; TypeComposite if one of its parts is at fault
	Code Code
}

func (e *ValueError) Error() string {
	return "pseudonym: " + e.Type.String() + ": " + e.problem()
}

func (e *ValueError) problem() string {
	switch e.Code {
	case CodeNoType:
		return "value without a type: make it with a constructor such as Email"
	case CodeEmpty:
		return "value is empty: leave the field out"
	case CodeTooLong:
		return "value is longer than " + strconv.Itoa(MaxValue) + " bytes: pseudonymise an identifier, not a document"
	case CodeNotUTF8:
		return "value is not valid UTF-8: convert it, or use Bytes for binary data"
	case CodeToken:
		return "value is a token already: keep it as it is"
	}
	switch e.Type {
	case TypeEmail, TypeEmailUID2:
		return "not an address: needs one @ with text on both sides, no spaces, controls or angle brackets inside"
	case TypePhone:
		return "not a number in international form: write + and 8 to 15 digits, nothing between them"
	case TypeIP:
		return "not an address: needs a valid address without a zone"
	case TypeIPPrefix:
		return "not a prefix: needs a valid address and length"
	case TypeDate:
		return "not a date: write a day of the calendar as YYYY-MM-DD"
	case TypeComposite:
		return "a part is not in its form, or there are not 1 to 255 parts: check each part by itself"
	}
	return "value is not in its form"
}

// A StoreError reports a [SecretStore] that could not give what [New] asked for.
// Its text holds only words of this package, because the words of a store are
// not under our control; the cause is found with errors.Is, errors.As and Unwrap.
type StoreError struct {
	Version uint32 // 0 if the list of versions, or a subject, was asked for
	Err     error

	subject bool
}

func (e *StoreError) Error() string {
	what := "pseudonym: secret store: "
	if e.subject {
		what = "pseudonym: subject store: "
		switch {
		case errors.Is(e.Err, ErrDestroyed):
			return what + "destroyed: this person was erased"
		case errors.Is(e.Err, ErrUnknown):
			return what + "unknown: this person has no pseudonyms"
		}
	} else if e.Version == 0 {
		what += "versions: "
	} else {
		what += "version " + strconv.FormatUint(uint64(e.Version), 10) + ": "
	}
	switch {
	case errors.Is(e.Err, ErrDestroyed):
		return what + "destroyed: use a newer version"
	case errors.Is(e.Err, ErrHeld):
		return what + "destruction refused: a hold covers it: wait until it is lifted"
	case errors.Is(e.Err, ErrPending):
		return what + "waits for its destruction: use a newer version, or call the destruction off"
	case errors.Is(e.Err, ErrUnknown):
		return what + "unknown: add or generate a secret for this tenant"
	case errors.Is(e.Err, ErrSecret):
		return what + "not usable: a secret is 32 random bytes, made by NewSecret"
	case errors.Is(e.Err, context.Canceled):
		return what + "canceled"
	case errors.Is(e.Err, context.DeadlineExceeded):
		return what + "out of time"
	}
	return what + "no answer: unwrap this error for the cause"
}

// Unwrap returns the store's own error.
func (e *StoreError) Unwrap() error { return e.Err }

// An OperatorError reports a value that an operator such as [TruncateIP] cannot
// work on. It never contains the value. Such a value must not be passed on in
// its place: drop or redact it.
type OperatorError struct {
	Operator string // name of the function, such as "TruncateIP"
	Problem  string // fixed text chosen by this package
}

func (e *OperatorError) Error() string {
	return "pseudonym: " + e.Operator + ": " + e.Problem
}

// A fault says what is wrong in a fixed text, and wraps the kind of error that it is
// and what caused it, if anything did. Package fmt, which would do as well, weighs
// 0.3 MB in the WebAssembly guest.
type fault struct {
	kind  error
	text  string
	cause error
}

func (f *fault) Error() string {
	s := f.kind.Error() + ": " + f.text
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

func (f *fault) Unwrap() []error {
	if f.cause == nil {
		return []error{f.kind}
	}
	return []error{f.kind, f.cause}
}
