package slogprivacy

import (
	"reflect"
	"strings"
	"sync"
)

// A field is what there is to know about a field of a struct type.
type field struct {
	index     []int
	name      string // in JSON
	tags      map[string]string
	exempt    bool
	omitEmpty bool
	omitZero  bool
	named     bool // the name is given by a tag
}

// of is the field in a struct; it reports false if a nil pointer is on the way.
func (f *field) of(v reflect.Value) (reflect.Value, bool) {
	for i, at := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(at)
	}
	return v, true
}

// omits tells whether encoding/json would leave the field out.
func (f *field) omits(v reflect.Value) bool {
	if f.omitZero {
		if z, ok := v.Interface().(interface{ IsZero() bool }); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
			return z.IsZero()
		}
		if v.IsZero() {
			return true
		}
	}
	if !f.omitEmpty {
		return false
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

var plans sync.Map // reflect.Type → []field; there are as many as the program has types

// planOf is the fields of a struct type that encoding/json writes, in their order.
// Those of embedded structs are part of it, and of several with one name the least
// deep counts, then the one with a tag, and else none.
func planOf(t reflect.Type) []field {
	if p, ok := plans.Load(t); ok {
		return p.([]field)
	}
	type level struct {
		t      reflect.Type
		index  []int
		tags   map[string]string
		exempt bool
	}
	var out []field
	seen := map[reflect.Type]bool{t: true}
	taken := map[string]bool{}
	for now := []level{{t: t}}; len(now) > 0; {
		var next []level
		var found []field
		for _, l := range now {
			for i := range l.t.NumField() {
				sf := l.t.Field(i)
				inner := sf.Type
				if inner.Kind() == reflect.Pointer {
					inner = inner.Elem()
				}
				if !sf.IsExported() && !(sf.Anonymous && inner.Kind() == reflect.Struct) {
					continue
				}
				tag := sf.Tag.Get("json")
				if tag == "-" {
					continue
				}
				name, options, _ := strings.Cut(tag, ",")
				f := field{index: append(append([]int(nil), l.index...), i), name: name, tags: l.tags, exempt: l.exempt, named: name != ""}
				switch declared := sf.Tag.Get("privacy"); declared {
				case "":
				case "-":
					f.exempt = true
				default:
					f.tags, f.exempt = map[string]string{"privacy": declared}, false
				}
				if sf.Anonymous && name == "" && inner.Kind() == reflect.Struct {
					if !seen[inner] {
						seen[inner] = true
						next = append(next, level{inner, f.index, f.tags, f.exempt})
					}
					continue
				}
				if !sf.IsExported() {
					continue
				}
				if name == "" {
					f.name = sf.Name
				}
				for option := range strings.SplitSeq(options, ",") {
					f.omitEmpty = f.omitEmpty || option == "omitempty"
					f.omitZero = f.omitZero || option == "omitzero"
				}
				found = append(found, f)
			}
		}
		for i := range found {
			f := &found[i]
			if taken[f.name] {
				continue
			}
			same, tagged := 0, 0
			for j := range found {
				if found[j].name == f.name {
					same++
					if found[j].named {
						tagged++
					}
				}
			}
			if same == 1 || f.named && tagged == 1 {
				out = append(out, *f)
			}
		}
		for i := range found {
			taken[found[i].name] = true
		}
		now = next
	}
	p, _ := plans.LoadOrStore(t, out)
	return p.([]field)
}
