package expr

import "strings"

// A Kind is the outermost form of a value.
type Kind uint8

// The kinds. Their numbers are part of the wire form and never change.
const (
	KindInvalid Kind = iota // no value; as an element: the unknown element of an empty list or map
	KindBool
	KindInt
	KindUint
	KindDouble
	KindString
	KindBytes
	KindTimestamp
	KindDuration
	KindList
	KindMap

	kinds // how many there are
)

var kindNames = [kinds]string{"unknown", "bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration", "list", "map"}

// String is the name that CEL gives the kind.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return kindNames[KindInvalid]
}

// A Type is a kind and, for lists and maps, the type of the elements: the
// outermost kind in the lowest four bits, the element's in the next four, and so
// on, at most eight deep. Keys of maps are always strings. The zero Type is the
// element of a list that is empty in every case.
type Type uint32

// The types without elements.
const (
	TBool      = Type(KindBool)
	TInt       = Type(KindInt)
	TUint      = Type(KindUint)
	TDouble    = Type(KindDouble)
	TString    = Type(KindString)
	TBytes     = Type(KindBytes)
	TTimestamp = Type(KindTimestamp)
	TDuration  = Type(KindDuration)
)

// MaxTypeDepth is how deep lists and maps may nest in a type.
const MaxTypeDepth = 8

// ListOf is the type of a list whose elements are of type t. A type deeper than
// [MaxTypeDepth] comes out invalid, which [Type.Valid] reports.
func ListOf(t Type) Type { return wrap(KindList, t) }

// MapOf is the type of a map from strings to values of type t; see [ListOf].
func MapOf(t Type) Type { return wrap(KindMap, t) }

func wrap(k Kind, t Type) Type {
	if t>>28 != 0 {
		return Type(kinds) // no such kind, at any depth
	}
	return Type(k) | t<<4
}

// Kind is the outermost kind.
func (t Type) Kind() Kind {
	if k := Kind(t & 15); k < kinds {
		return k
	}
	return KindInvalid
}

// Elem is the type of the elements of a list or the values of a map, and the
// zero Type for anything else.
func (t Type) Elem() Type {
	if k := t.Kind(); k == KindList || k == KindMap {
		return t >> 4
	}
	return 0
}

// Valid reports whether t is a type that an expression can have: known kinds,
// elements below lists and maps only. The zero Type is not valid by itself.
func (t Type) Valid() bool {
	for depth := 0; ; depth++ {
		switch k := Kind(t & 15); {
		case k >= kinds:
			return false
		case k == KindInvalid:
			return depth > 0 && t == 0
		case k == KindList || k == KindMap:
			t >>= 4
		default:
			return t>>4 == 0
		}
	}
}

// String writes the type as in "list(string)" and "map(string, int)".
func (t Type) String() string {
	var b strings.Builder
	closing := 0
	for ; ; closing++ {
		k := t.Kind()
		b.WriteString(k.String())
		if k == KindList {
			b.WriteByte('(')
		} else if k == KindMap {
			b.WriteString("(string, ")
		} else {
			break
		}
		t = t.Elem()
	}
	b.WriteString(strings.Repeat(")", closing))
	return b.String()
}

// unify joins two types where an unknown element, as in the empty list, gives
// way to what the other side knows.
func unify(a, b Type) (Type, bool) {
	switch {
	case a == b || b == 0:
		return a, true
	case a == 0:
		return b, true
	case a.Kind() != b.Kind():
		return 0, false
	}
	if k := a.Kind(); k == KindList || k == KindMap {
		e, ok := unify(a.Elem(), b.Elem())
		return wrap(k, e), ok
	}
	return 0, false
}

// Fits reports whether a value of type t may stand where want is wanted: the same
// type, or a list or map that is empty where t knows no element.
func (t Type) Fits(want Type) bool {
	u, ok := unify(t, want)
	return ok && u == want
}
