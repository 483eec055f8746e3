package record

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Value classifies a Go value: structs, maps, lists, pointers to them, slog
// attributes and values, and plain values.
//
// Fields of structs have the names that encoding/json gives them; fields that it
// leaves out, by json:"-", have their Go name, since logs print them. Those that are
// not exported are left out, as are funcs and channels. Embedded structs are part of
// theirs. The tag privacy:"user.contact.email" declares categories, and privacy:"-"
// that a field holds nothing personal: it is not looked at, and is listed as exempt.
//
// Texts of values are those of Error and MarshalText where a type has them, of
// encoding/json for numbers, of RFC 3339 for times, and of base64 for bytes that are not UTF-8. A
// pointer that leads back to a value on the way to it ends there. The error is
// [ErrDepth] or [ErrLarge].
func (r *Reader) Value(v any) (*Report, error) {
	return r.walk(func(w *walker) {
		w.onPath = map[visit]bool{}
		w.any(v, nil, nil)
	})
}

// A visit is a pointer with its type, to know it again.
type visit struct {
	pointer uintptr
	typ     reflect.Type
	length  int
}

// any takes values whose types say more than their kinds.
func (w *walker) any(v any, tags map[string]string, kind reflect.Type) {
	switch v := v.(type) {
	case nil:
		w.leaf("", typeName(kind), tags)
	case slog.Value:
		w.slogValue(v, tags)
	case slog.Attr:
		w.attr(v)
	case []slog.Attr:
		for _, a := range v {
			w.attr(a)
		}
	case slog.LogValuer:
		w.slogValue(slog.AnyValue(v), tags)
	case time.Time:
		w.leaf(v.Format(time.RFC3339Nano), "timestamp", tags)
	case time.Duration:
		w.leaf(v.String(), "duration", tags)
	case json.Number:
		w.leaf(string(v), "number", tags)
	case error:
		w.leaf(errorText(v), "error", tags)
	case encoding.TextMarshaler:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
			w.leaf("", typeName(kind), tags)
			return
		}
		text, ok := marshal(v)
		if !ok {
			w.unreadable()
			return
		}
		w.leaf(text, typeName(kind), tags)
	default:
		w.value(reflect.ValueOf(v), tags)
	}
}

// marshal is MarshalText, which is code of others: it may fail, even by a panic.
func marshal(v encoding.TextMarshaler) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	b, err := v.MarshalText()
	return string(b), err == nil
}

func (w *walker) unreadable() { w.report.Unreadable = append(w.report.Unreadable, w.path()) }

func (w *walker) attr(a slog.Attr) {
	if a.Key == "" && a.Value.Kind() == slog.KindGroup {
		w.slogValue(a.Value, nil) // a group without a name is part of its own group
		return
	}
	if w.enter(step{key: a.Key, index: -1}) {
		w.slogValue(a.Value, nil)
		w.leave()
	}
}

func (w *walker) slogValue(v slog.Value, tags map[string]string) {
	switch v = v.Resolve(); v.Kind() {
	case slog.KindGroup:
		for _, a := range v.Group() {
			w.attr(a)
		}
	case slog.KindTime:
		w.leaf(v.Time().Format(time.RFC3339Nano), "timestamp", tags)
	case slog.KindDuration:
		w.leaf(v.Duration().String(), "duration", tags)
	case slog.KindAny:
		w.any(v.Any(), tags, reflect.TypeOf(v.Any()))
	default:
		w.leaf(v.String(), strings.ToLower(v.Kind().String()), tags)
	}
}

func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	return err.Error()
}

func typeName(t reflect.Type) string {
	if t == nil {
		return ""
	}
	return t.String()
}

var (
	bytesType = reflect.TypeFor[[]byte]()
	timeType  = reflect.TypeFor[time.Time]()
)

// inner is what is inside of a value whose type may say more than its kind.
func (w *walker) inner(v reflect.Value, tags map[string]string) {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		w.leaf("", "", tags)
		return
	}
	if v.CanInterface() {
		// A type that marshals by pointer does so as well where the value lies in one.
		if v.CanAddr() && v.Kind() != reflect.Pointer {
			if m, ok := v.Addr().Interface().(encoding.TextMarshaler); ok && v.Type() != timeType {
				w.any(m, tags, v.Type())
				return
			}
		}
		w.any(v.Interface(), tags, v.Type())
		return
	}
	w.value(v, tags)
}

func (w *walker) value(v reflect.Value, tags map[string]string) {
	if w.err != nil {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() {
			w.leaf("", v.Type().String(), tags)
			return
		}
		at := visit{v.Pointer(), v.Type(), 0}
		if v.Kind() == reflect.Slice {
			at.length = v.Len()
		}
		if w.onPath[at] && at.pointer != 0 {
			return
		}
		w.onPath[at] = true
		defer delete(w.onPath, at)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if w.depth++; w.depth > 2*MaxDepth {
			w.err = ErrDepth // pointers to pointers, which no path shows
		} else {
			w.inner(v.Elem(), tags)
		}
		w.depth--
	case reflect.Struct:
		w.structure(v, tags)
	case reflect.Map:
		w.mapping(v)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().ConvertibleTo(bytesType) && v.Type().Elem().Kind() == reflect.Uint8 {
			w.leaf(bytesText(v.Bytes()), "bytes", tags)
			return
		}
		for i := range v.Len() {
			if w.enter(step{index: i}) {
				w.inner(v.Index(i), tags)
				w.leave()
			}
		}
	case reflect.String:
		w.leaf(v.String(), v.Type().String(), tags)
	case reflect.Bool:
		w.leaf(strconv.FormatBool(v.Bool()), v.Type().String(), tags)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.leaf(strconv.FormatInt(v.Int(), 10), v.Type().String(), tags)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.leaf(strconv.FormatUint(v.Uint(), 10), v.Type().String(), tags)
	case reflect.Float32, reflect.Float64:
		bits := 64
		if v.Kind() == reflect.Float32 {
			bits = 32
		}
		w.leaf(floatText(v.Float(), bits), v.Type().String(), tags)
	default: // complex numbers, funcs, channels, unsafe pointers
		w.unreadable()
	}
}

// floatText is what encoding/json writes, and more for what it cannot.
func floatText(f float64, bits int) string {
	if bits == 32 {
		if b, err := json.Marshal(float32(f)); err == nil {
			return string(b)
		}
	} else if b, err := json.Marshal(f); err == nil {
		return string(b)
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

func bytesText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func (w *walker) structure(v reflect.Value, tags map[string]string) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Tag.Get("privacy") == "" && w.embedded(v.Field(i), tags) {
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" || name == "-" {
			name = f.Name
		}
		if !w.enter(step{key: name, index: -1}) {
			continue
		}
		switch tag := f.Tag.Get("privacy"); tag {
		case "-":
			w.report.Exempt = append(w.report.Exempt, w.path())
		case "":
			// What is declared of a struct is declared of all its fields.
			w.inner(v.Field(i), tags)
		default:
			w.inner(v.Field(i), map[string]string{"privacy": tag})
		}
		w.leave()
	}
}

// embedded takes the fields of an embedded struct for those of the struct around it.
// It reports false if v is none.
func (w *walker) embedded(v reflect.Value, tags map[string]string) bool {
	if v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct {
		at := visit{v.Pointer(), v.Type(), 0}
		if v.IsNil() || w.onPath[at] {
			return true
		}
		w.onPath[at] = true
		defer delete(w.onPath, at)
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return false
	}
	if _, ok := reflect.New(v.Type()).Interface().(encoding.TextMarshaler); ok {
		return false
	}
	w.structure(v, tags)
	return true
}

func (w *walker) mapping(v reflect.Value) {
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for m := v.MapRange(); m.Next(); {
		key, ok := keyText(m.Key())
		if !ok {
			w.unreadable()
			return
		}
		entries = append(entries, entry{key, m.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for _, e := range entries {
		if w.enter(step{key: e.key, index: -1}) {
			w.inner(e.value, nil)
			w.leave()
		}
	}
}

// keyText is the text of a map's key, as encoding/json writes it.
func keyText(k reflect.Value) (string, bool) {
	if k.Kind() == reflect.Interface {
		k = k.Elem()
	}
	if !k.IsValid() || !k.CanInterface() {
		return "", false
	}
	if k.Kind() == reflect.String {
		return k.String(), true
	}
	if m, ok := k.Interface().(encoding.TextMarshaler); ok && (k.Kind() != reflect.Pointer || !k.IsNil()) {
		return marshal(m)
	}
	switch {
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10), true
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10), true
	}
	return "", false
}
