package expr

import (
	"math"
	"slices"
	"strings"
)

// A Value is one value of the profile. Scalars live inside the struct; lists and
// maps are shared, so nobody may change them while a Value refers to them. The
// zero Value is no value at all: its kind is [KindInvalid].
type Value struct {
	kind Kind
	zone int16  // of a timestamp: minutes east of UTC that its text form shows
	nano int32  // of a timestamp
	num  uint64 // bits of bool, int, uint, double, seconds of a timestamp, nanoseconds of a duration
	str  string // string, bytes
	ref  any    // *[]Value, *[]string, *Map, *StrMap
}

// Bool makes a bool.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Int makes an int.
func Int(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// Uint makes a uint.
func Uint(u uint64) Value { return Value{kind: KindUint, num: u} }

// Double makes a double.
func Double(d float64) Value { return Value{kind: KindDouble, num: math.Float64bits(d)} }

// String makes a string.
func String(s string) Value { return Value{kind: KindString, str: s} }

// Bytes makes bytes; they are carried as a Go string.
func Bytes(s string) Value { return Value{kind: KindBytes, str: s} }

// Timestamp makes an instant: seconds since 1970 in UTC and nanoseconds from 0
// to 999,999,999.
func Timestamp(sec int64, nanos int32) Value {
	return Value{kind: KindTimestamp, num: uint64(sec), nano: nanos}
}

// Duration makes a span of time in nanoseconds.
func Duration(nanos int64) Value { return Value{kind: KindDuration, num: uint64(nanos)} }

// List makes a list. The slice is not copied.
func List(vs []Value) Value { return Value{kind: KindList, ref: &vs} }

// Strings is a view of a Go slice as a list(string). It allocates nothing and
// sees later changes of the slice, which must not happen during an evaluation.
// A nil pointer is the empty list.
func Strings(p *[]string) Value {
	if p == nil {
		return Value{kind: KindList}
	}
	return Value{kind: KindList, ref: p}
}

// MapValue makes a map. The map is not copied; nil is the empty map.
func MapValue(m *Map) Value {
	if m == nil {
		return Value{kind: KindMap}
	}
	return Value{kind: KindMap, ref: m}
}

// StringMap is a view of m as a map(string, string). It allocates nothing. A nil
// pointer is the empty map.
func StringMap(m *StrMap) Value {
	if m == nil {
		return Value{kind: KindMap}
	}
	return Value{kind: KindMap, ref: m}
}

// Kind is the kind of the value.
func (v Value) Kind() Kind { return v.kind }

// AsBool is the value of a bool, and false for any other kind.
func (v Value) AsBool() bool { return v.kind == KindBool && v.num != 0 }

// AsInt is the value of an int, and 0 for any other kind.
func (v Value) AsInt() int64 {
	if v.kind != KindInt {
		return 0
	}
	return int64(v.num)
}

// AsUint is the value of a uint, and 0 for any other kind.
func (v Value) AsUint() uint64 {
	if v.kind != KindUint {
		return 0
	}
	return v.num
}

// AsDouble is the value of a double, and 0 for any other kind.
func (v Value) AsDouble() float64 {
	if v.kind != KindDouble {
		return 0
	}
	return math.Float64frombits(v.num)
}

// AsString is the value of a string or of bytes, and "" for any other kind.
func (v Value) AsString() string { return v.str }

// AsTimestamp is the instant as seconds since 1970 and nanoseconds, and 0, 0 for
// any other kind.
func (v Value) AsTimestamp() (sec int64, nanos int32) {
	if v.kind != KindTimestamp {
		return 0, 0
	}
	return int64(v.num), v.nano
}

// AsDuration is the span in nanoseconds, and 0 for any other kind.
func (v Value) AsDuration() int64 {
	if v.kind != KindDuration {
		return 0
	}
	return int64(v.num)
}

// Len is the number of elements of a list or of entries of a map, and 0 for any
// other kind.
func (v Value) Len() int {
	switch r := v.ref.(type) {
	case *[]Value:
		return len(*r)
	case *[]string:
		return len(*r)
	case *Map:
		return len(r.keys)
	case *StrMap:
		return len(r.keys)
	}
	return 0
}

// At is element i of a list, and the zero Value outside of it.
func (v Value) At(i int) Value {
	switch r := v.ref.(type) {
	case *[]Value:
		if uint(i) < uint(len(*r)) {
			return (*r)[i]
		}
	case *[]string:
		if uint(i) < uint(len(*r)) {
			return String((*r)[i])
		}
	}
	return Value{}
}

// Entry is entry i of a map in the order of its keys, and the zero Value outside of it.
func (v Value) Entry(i int) (string, Value) {
	switch r := v.ref.(type) {
	case *Map:
		if uint(i) < uint(len(r.keys)) {
			return r.keys[i], r.vals[i]
		}
	case *StrMap:
		if uint(i) < uint(len(r.keys)) {
			return r.keys[i], String(r.vals[i])
		}
	}
	return "", Value{}
}

// has reports whether a map has a key.
func (v *Value) has(key string) bool {
	switch r := v.ref.(type) {
	case *Map:
		return find(r.keys, key) >= 0
	case *StrMap:
		return find(r.keys, key) >= 0
	}
	return false
}

// Get looks up a key of a map.
func (v Value) Get(key string) (Value, bool) {
	switch r := v.ref.(type) {
	case *Map:
		return r.Get(key)
	case *StrMap:
		s, ok := r.Get(key)
		return String(s), ok
	}
	return Value{}, false
}

// Is reports whether v is a value of type t. Elements of lists and maps are looked
// at one by one; an empty list is of every list type.
func (v Value) Is(t Type) bool {
	if v.kind == KindInvalid || v.kind != t.Kind() {
		return false
	}
	elem := t.Elem()
	switch r := v.ref.(type) {
	case *[]Value:
		for _, e := range *r {
			if !e.Is(elem) {
				return false
			}
		}
	case *Map:
		for _, e := range r.vals {
			if !e.Is(elem) {
				return false
			}
		}
	case *[]string:
		return elem == TString || len(*r) == 0
	case *StrMap:
		return elem == TString || len(r.keys) == 0
	}
	return true
}

// A Map holds values under string keys, sorted by key, so that nothing ever
// depends on an iteration order. The zero Map is empty and ready to use.
type Map struct {
	keys []string
	vals []Value
}

// Set stores v under key; a later value replaces an earlier one.
func (m *Map) Set(key string, v Value) {
	i, found := slices.BinarySearch(m.keys, key)
	if found {
		m.vals[i] = v
		return
	}
	m.keys = slices.Insert(m.keys, i, key)
	m.vals = slices.Insert(m.vals, i, v)
}

// Get looks up key.
func (m *Map) Get(key string) (Value, bool) {
	if i := find(m.keys, key); i >= 0 {
		return m.vals[i], true
	}
	return Value{}, false
}

// find is the place of key in sorted keys, or -1. In a few keys, comparing each for
// equality is faster than searching by order.
func find(keys []string, key string) int {
	if len(keys) <= 8 {
		for i := range keys {
			if keys[i] == key {
				return i
			}
		}
		return -1
	}
	if i, found := slices.BinarySearch(keys, key); found {
		return i
	}
	return -1
}

// Len is the number of entries.
func (m *Map) Len() int { return len(m.keys) }

// A StrMap holds strings under string keys, sorted by key. Its memory is kept by
// [StrMap.Reset], so that one StrMap can serve many evaluations without
// allocating. The zero StrMap is empty and ready to use.
type StrMap struct{ keys, vals []string }

// Reset empties the map and forgets the strings, but keeps the memory.
func (m *StrMap) Reset() {
	clear(m.keys)
	clear(m.vals)
	m.keys, m.vals = m.keys[:0], m.vals[:0]
}

// Set stores value under key; a later value replaces an earlier one. Keys that
// come in order are cheapest.
func (m *StrMap) Set(key, value string) {
	i := len(m.keys)
	if i > 0 && strings.Compare(key, m.keys[i-1]) <= 0 {
		var found bool
		if i, found = slices.BinarySearch(m.keys, key); found {
			m.vals[i] = value
			return
		}
	}
	m.keys = slices.Insert(m.keys, i, key)
	m.vals = slices.Insert(m.vals, i, value)
}

// Get looks up key.
func (m *StrMap) Get(key string) (string, bool) {
	if i := find(m.keys, key); i >= 0 {
		return m.vals[i], true
	}
	return "", false
}

// Len is the number of entries.
func (m *StrMap) Len() int { return len(m.keys) }
