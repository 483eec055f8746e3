package slogprivacy

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
)

// A failure is an error of which only the text is left, without what may not be
// logged. To encoders that do not ask for errors it is a text.
type failure string

func (f failure) Error() string { return string(f) }

// A visit is a value on the way to the one at hand, to know it again.
type visit struct {
	pointer uintptr
	typ     reflect.Type
	length  int
}

// attr decides about an attribute. What fails costs this attribute alone.
func (w *worker) attr(a slog.Attr) (out slog.Attr, s state) {
	p := w.place()
	defer func() {
		if recover() != nil {
			w.fail(p)
			out, s = slog.Attr{Key: unreadable, Value: slog.StringValue(unreadable)}, changed
		}
	}()
	if a.Key == "" && a.Value.Kind() == slog.KindGroup {
		a.Value, s = w.group(a.Value) // part of the group around it
		return a, s
	}
	key := w.key(a.Key)
	w.steps = append(w.steps, a.Key)
	value, s := w.slogValue(a.Value)
	w.back(p)
	if key != a.Key && s == same {
		s = changed
	}
	return slog.Attr{Key: key, Value: value}, s
}

// mark stands for a value that was not looked at.
func (w *worker) mark(m string) (any, state) {
	w.hits++
	return m, changed
}

// spend counts a value; it reports false if there were too many.
func (w *worker) spend() bool {
	w.values--
	return w.values >= 0
}

// slogValue decides about the value of an attribute.
func (w *worker) slogValue(v slog.Value) (slog.Value, state) {
	if !w.spend() {
		w.hits++
		return slog.StringValue(cut), changed
	}
	var out string
	var s state
	switch v.Kind() {
	case slog.KindString:
		out, s = w.text("string", v.String())
	case slog.KindInt64:
		out, s = w.look("int64", strconv.FormatInt(v.Int64(), 10), false, v)
	case slog.KindUint64:
		out, s = w.look("uint64", strconv.FormatUint(v.Uint64(), 10), false, v)
	case slog.KindFloat64:
		out, s = w.look("float64", floatText(v.Float64(), 64), false, v)
	case slog.KindBool:
		out, s = w.look("bool", strconv.FormatBool(v.Bool()), false, v)
	case slog.KindDuration:
		out, s = w.look("duration", v.Duration().String(), false, v)
	case slog.KindTime:
		out, s = w.look("timestamp", v.Time().Format(time.RFC3339Nano), false, v)
	case slog.KindGroup:
		return w.group(v)
	case slog.KindLogValuer:
		v, s := w.slogValue(v.Resolve())
		return v, max(s, changed) // nobody needs to resolve it again
	default:
		x, s := w.any(v.Any())
		if s == same {
			return v, same
		}
		return slog.AnyValue(x), s
	}
	if s == changed {
		v = slog.StringValue(out)
	}
	return v, s
}

// eventValue is a value as an event carries it.
func eventValue(v slog.Value) any {
	switch v.Kind() {
	case slog.KindDuration:
		return v.Duration().String()
	case slog.KindFloat64:
		if f := v.Float64(); f-f != 0 {
			return floatText(f, 64)
		}
	}
	return v.Any()
}

// group decides about the attributes of a group. The caller's are copied when the
// first one changes.
func (w *worker) group(v slog.Value) (slog.Value, state) {
	p := w.place()
	defer w.back(p)
	if !w.enter() {
		w.hits++
		return slog.StringValue(cut), changed
	}
	w.inherit()
	attrs := v.Group()
	var out []slog.Attr
	for i, a := range attrs {
		if w.values <= 0 {
			w.hits++
			if out == nil {
				out = slices.Clone(attrs[:i])
			}
			out = append(out, slog.String(cut, cut))
			break
		}
		b, s := w.attr(a)
		if s != same && out == nil {
			out = append(make([]slog.Attr, 0, len(attrs)), attrs[:i]...)
		}
		if out != nil && s != gone {
			out = append(out, b)
		}
	}
	if out == nil {
		return v, same
	}
	return slog.GroupValue(out...), changed
}

// enter goes one level down; it reports false if that is too deep.
func (w *worker) enter() bool {
	w.depth++
	return w.depth <= maxDepth
}

// inherit declares all below a name of credentials to be credentials: a password does
// not become harmless by standing in a struct.
func (w *worker) inherit() {
	if w.tags != nil || w.exempt || len(w.steps) == 0 {
		return
	}
	var f classify.Field
	f.Name, f.Path = w.name()
	for _, l := range w.labelsOf(&f) {
		if l.Rule != "" && under(l.Category, credentials) && (w.j.policy || w.j.covers(l.Category)) {
			w.tags = map[string]string{"privacy": l.Category}
			return
		}
	}
}

// any decides about a Go value.
func (w *worker) any(x any) (any, state) {
	if x == nil {
		return nil, same
	}
	return w.value(reflect.ValueOf(x))
}

// value decides about a Go value. What holds others is made anew from plain parts.
func (w *worker) value(v reflect.Value) (any, state) {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil, same
	}
	if !w.spend() {
		return w.mark(cut)
	}
	if !v.CanInterface() {
		return w.mark(unreadable)
	}
	p := w.place()
	defer w.back(p)
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if v.IsNil() {
			return nil, changed
		}
	}
	if !w.enter() {
		return w.mark(cut)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		at := visit{v.Pointer(), v.Type(), 0}
		if v.Kind() == reflect.Slice {
			at.length = v.Len()
		}
		if at.length > 0 || v.Kind() != reflect.Slice {
			if slices.Contains(w.onPath, at) {
				return w.mark(cycle)
			}
			w.onPath = append(w.onPath, at)
		}
	}
	if v.Type().PkgPath() != "" || v.Kind() == reflect.Pointer || v.Kind() == reflect.Struct || v.Kind() == reflect.Slice {
		if out, s, ok := w.typed(v.Interface()); ok {
			return out, s
		}
		if v.CanAddr() && v.Kind() != reflect.Pointer {
			// Methods of the pointer count where the value lies in a variable, as they do
			// in encoding/json.
			switch x := v.Addr().Interface().(type) {
			case slog.LogValuer, json.Marshaler, encoding.TextMarshaler:
				if out, s, ok := w.typed(x); ok {
					return out, s
				}
			}
		}
	}
	return w.kind(v)
}

// typed takes values whose types say more than their kinds.
func (w *worker) typed(x any) (out any, s state, ok bool) {
	yes := func(out any, s state) (any, state, bool) { return out, s, true }
	switch x := x.(type) {
	case slog.Value:
		return yes(w.plain(x))
	case slog.Attr:
		return yes(w.plain(slog.GroupValue(x)))
	case []slog.Attr:
		return yes(w.plain(slog.GroupValue(x...)))
	case *slog.Source:
		// Handlers have a form of their own for it.
		copied, before := *x, w.hits
		if out, s := w.structure(reflect.ValueOf(copied)); w.hits != before {
			return yes(out, s)
		}
		return yes(&copied, changed)
	case slog.LogValuer:
		return yes(w.plain(slog.AnyValue(x).Resolve()))
	case reflect.Value:
		if x.IsValid() && x.CanInterface() {
			return yes(w.value(x))
		}
		return yes(w.mark(unreadable))
	case time.Time:
		out, s := w.scalar("timestamp", x.Format(time.RFC3339Nano), x, x)
		if y := x.Year(); s == same && (y < 0 || y > 9999) {
			return x.Format(time.RFC3339Nano), changed, true // encoding/json refuses it, with all around it
		}
		if zone, offset := x.Zone(); s == same && len(zone) > 6 {
			return x.In(time.FixedZone("", offset)), changed, true // %v writes the zone, which can have any name
		}
		return out, s, true
	case time.Duration:
		return yes(w.scalar("duration", x.String(), x, x.String()))
	case json.Number:
		if !isNumber(string(x)) {
			out, s := w.textual("string", string(x))
			return yes(out, s)
		}
		return yes(w.scalar("number", string(x), x, privacy.Number(x)))
	case json.RawMessage:
		return yes(w.document(x))
	case url.URL:
		return yes(w.url(&x))
	case *url.URL:
		return yes(w.url(x))
	case url.Userinfo:
		return yes(w.user(&x), changed)
	case *url.Userinfo:
		return yes(w.user(x), changed)
	case error:
		text, ok := call(func() (string, error) { return x.Error(), nil })
		if !ok {
			return yes(w.mark(unreadable))
		}
		switch out, s := w.text("error", text); s {
		case same:
			return failure(text), changed, true
		case changed:
			return failure(out), changed, true
		default:
			return nil, gone, true
		}
	case json.Marshaler:
		text, ok := call(func() (string, error) { b, err := x.MarshalJSON(); return string(b), err })
		if !ok {
			return yes(w.mark(unreadable))
		}
		return yes(w.document([]byte(text)))
	case encoding.TextMarshaler:
		text, ok := call(func() (string, error) { b, err := x.MarshalText(); return string(b), err })
		if !ok {
			return yes(w.mark(unreadable))
		}
		out, s := w.textual("string", text)
		return yes(out, s)
	}
	return nil, same, false
}

// call is code of others, which may fail, even by a panic.
func call(f func() (string, error)) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	text, err := f()
	return text, err == nil
}

// textual is text for a value that comes out as a plain text in any case.
func (w *worker) textual(kind, text string) (string, state) {
	out, s := w.text(kind, text)
	if s == same {
		return text, changed
	}
	return out, s
}

// scalar decides about x by its text; event is what a policy sees.
func (w *worker) scalar(kind, text string, x, event any) (any, state) {
	out, s := w.look(kind, text, false, slog.AnyValue(event))
	if s == same {
		return x, same
	}
	return out, s
}

// plain is a slog value as a part of something else: groups become maps.
func (w *worker) plain(v slog.Value) (any, state) {
	switch v = v.Resolve(); v.Kind() {
	case slog.KindGroup:
		p := w.place()
		defer w.back(p)
		if !w.enter() {
			return w.mark(cut)
		}
		w.inherit()
		out := map[string]any{}
		w.flat(out, v.Group())
		return out, changed
	case slog.KindAny:
		x, s := w.any(v.Any())
		return x, max(s, changed)
	}
	x := v.Any()
	u, s := w.slogValue(v)
	if s == changed {
		x = u.Any()
	}
	return x, max(s, changed)
}

// flat puts attributes into a map; those of a group without a name are part of it.
func (w *worker) flat(out map[string]any, attrs []slog.Attr) {
	for _, a := range attrs {
		if w.values <= 0 {
			w.hits++
			out[cut] = cut
			return
		}
		a.Value = a.Value.Resolve()
		if a.Key == "" && a.Value.Kind() == slog.KindGroup {
			w.spend()
			if w.enter() {
				w.flat(out, a.Value.Group())
			} else {
				w.hits++
				out[cut] = cut
			}
			w.depth--
			continue
		}
		if a.Key == "" && a.Value.Kind() == slog.KindAny && a.Value.Any() == nil {
			continue // handlers leave such an attribute out
		}
		w.member(out, a.Key, nil, func() (any, state) { return w.plain(a.Value) })
	}
}

// member puts what f gives into a map under a key that no other one has.
func (w *worker) member(out map[string]any, name string, f *field, value func() (any, state)) {
	p := w.place()
	defer w.back(p)
	if f != nil {
		if f.tags != nil {
			w.tags, w.exempt = f.tags, false
		}
		w.exempt = w.exempt || f.exempt
	}
	key := name
	if f == nil { // names of fields stand in the program
		key = w.key(name)
	}
	w.steps = append(w.steps, name)
	x, s := value()
	if s == gone {
		return
	}
	free := key
	for n := 2; ; n++ {
		if _, taken := out[free]; !taken {
			break
		}
		free = key + " " + strconv.Itoa(n)
	}
	out[free] = x
}

// kind takes values that are what their kinds say.
func (w *worker) kind(v reflect.Value) (any, state) {
	switch v.Kind() {
	case reflect.Pointer:
		x, s := w.value(v.Elem())
		return x, max(s, changed)
	case reflect.Struct:
		if len(planOf(v.Type())) == 0 {
			return w.opaque(v)
		}
		return w.structure(v)
	case reflect.Map:
		return w.mapping(v)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return w.bytesOf(v)
		}
		out := make([]any, 0, min(v.Len(), 64))
		for i := range v.Len() {
			if w.values <= 0 {
				x, _ := w.mark(cut)
				out = append(out, x)
				break
			}
			if x, s := w.value(v.Index(i)); s != gone {
				out = append(out, x)
			}
		}
		return out, changed
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return w.opaque(v)
	}
	return w.simple(v)
}

// opaque is a value that shows nothing but the text it makes of itself.
func (w *worker) opaque(v reflect.Value) (any, state) {
	x := v.Interface()
	if v.CanAddr() {
		x = v.Addr().Interface()
	}
	switch x.(type) {
	case fmt.Formatter, fmt.Stringer:
		out, s := w.textual("string", fmt.Sprintf("%+v", x)) // which catches panics
		return out, s
	}
	if v.Kind() == reflect.Struct {
		return map[string]any{}, changed
	}
	return w.mark(unreadable)
}

// simple takes texts, numbers and booleans. One with a text of its own is handed on
// only if nothing was found in either, since nobody knows which one will be written.
func (w *worker) simple(v reflect.Value) (any, state) {
	kind := v.Type().String()
	x := v.Interface()
	var text string
	var event any
	isText, odd := false, false // odd: encoding/json refuses it, with all around it
	switch {
	case v.Kind() == reflect.String:
		text, isText = v.String(), true
	case v.Kind() == reflect.Bool:
		text, event = strconv.FormatBool(v.Bool()), v.Bool()
	case v.CanInt():
		text, event = strconv.FormatInt(v.Int(), 10), v.Int()
	case v.CanUint():
		text, event = strconv.FormatUint(v.Uint(), 10), v.Uint()
	case v.CanFloat():
		bits := v.Type().Bits()
		text = floatText(v.Float(), bits)
		event = v.Float()
		odd = v.Float()-v.Float() != 0
	case v.CanComplex():
		text, odd = strconv.FormatComplex(v.Complex(), 'g', -1, v.Type().Bits()), true
	default:
		return w.mark(unreadable)
	}
	if odd {
		out, s := w.textual(kind, text)
		return out, s
	}
	shown := text
	if v.Type().PkgPath() != "" {
		switch x.(type) {
		case fmt.Formatter, fmt.Stringer:
			shown = fmt.Sprintf("%+v", x)
		}
	}
	var out any = x
	var s state
	if isText {
		out, s = w.textOf(kind, text, x)
	} else {
		out, s = w.scalar(kind, text, x, event)
	}
	if shown == text || s == gone {
		return out, s
	}
	other, t := w.textual(kind, shown)
	if s == same && t == changed && other == shown {
		return x, same
	}
	return other, t
}

func (w *worker) textOf(kind, text string, x any) (any, state) {
	out, s := w.text(kind, text)
	if s == same {
		return x, same
	}
	return out, s
}

// floatText is the shortest text of a number.
func floatText(f float64, bits int) string {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.FormatFloat(f, format, -1, bits)
}

func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9') && s[len(s)-1] >= '0' && s[len(s)-1] <= '9' && json.Valid([]byte(s))
}

// bytesOf takes bytes for the text that they are, if they are one.
func (w *worker) bytesOf(v reflect.Value) (any, state) {
	n := v.Len()
	if n == 0 {
		return v.Interface(), same
	}
	b := make([]byte, min(n, maxText+ahead))
	if v.Kind() == reflect.Slice {
		copy(b, v.Bytes())
	} else {
		for i := range b {
			b[i] = byte(v.Index(i).Uint())
		}
	}
	for i := 0; len(b) < n && i < utf8.UTFMax && !utf8.Valid(b); i++ {
		b = b[:len(b)-1] // a character at the end that was cut in two
	}
	if !printable(b) {
		if out, s := w.named("bytes"); s != same {
			return out, s
		}
		return w.mark(unreadable)
	}
	out, s := w.text("bytes", string(b))
	switch {
	case s != same:
		return out, s
	case v.Kind() == reflect.Slice:
		return b, changed // the caller may use its own again
	}
	return v.Interface(), same
}

func printable(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7F
	})
}

// structure takes the fields of a struct that encoding/json would write.
func (w *worker) structure(v reflect.Value) (any, state) {
	w.inherit()
	fields := planOf(v.Type())
	out := make(map[string]any, len(fields))
	for i := range fields {
		f := &fields[i]
		x, ok := f.of(v)
		if !ok || f.omits(x) {
			continue
		}
		if w.values <= 0 {
			out[cut], _ = w.mark(cut)
			break
		}
		w.member(out, f.name, f, func() (any, state) { return w.value(x) })
	}
	return out, changed
}

// mapping takes the entries of a map, in the order of their keys, so that equal keys
// get the same numbers every time.
func (w *worker) mapping(v reflect.Value) (any, state) {
	w.inherit()
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, min(v.Len(), maxValues))
	more := false
	for m := v.MapRange(); m.Next(); {
		if len(entries) >= w.values {
			more = true
			break
		}
		entries = append(entries, entry{keyText(m.Key()), m.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	out := make(map[string]any, len(entries))
	for _, e := range entries {
		if w.values <= 0 {
			more = true
			break
		}
		w.member(out, e.key, nil, func() (any, state) { return w.value(e.value) })
	}
	if more {
		out[cut], _ = w.mark(cut)
	}
	return out, changed
}

// keyText is the text of a map's key, as encoding/json writes it.
func keyText(k reflect.Value) string {
	for k.IsValid() && k.Kind() == reflect.Interface {
		k = k.Elem()
	}
	if !k.IsValid() || !k.CanInterface() {
		return unreadable
	}
	if k.Kind() == reflect.String {
		return k.String()
	}
	if m, ok := k.Interface().(encoding.TextMarshaler); ok && (k.Kind() != reflect.Pointer || !k.IsNil()) {
		if text, ok := call(func() (string, error) { b, err := m.MarshalText(); return string(b), err }); ok {
			return text
		}
		return unreadable
	}
	switch {
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10)
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10)
	case k.CanFloat():
		return floatText(k.Float(), k.Type().Bits())
	case k.Kind() == reflect.Bool:
		return strconv.FormatBool(k.Bool())
	}
	return unreadable
}

// document decides about the values of a JSON document.
func (w *worker) document(doc []byte) (any, state) {
	if len(doc) > maxBytes {
		return w.mark(cut)
	}
	x, err := decode(doc)
	if err != nil {
		return w.mark(unreadable)
	}
	out, s := w.any(x)
	return out, max(s, changed)
}

var errTrailing = errors.New("slogprivacy: something follows the JSON document")

func decode(doc []byte) (x any, err error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		return nil, err
	}
	if d.More() || len(bytes.TrimSpace(doc[d.InputOffset():])) > 0 {
		return nil, errTrailing
	}
	return x, nil
}

// jsonText decides about the values in a text that is a JSON object or list. It
// leaves a text alone in which nothing was found that way.
func (w *worker) jsonText(text string) (string, state) {
	t := strings.TrimSpace(text)
	if len(t) < 2 || !(t[0] == '{' && t[len(t)-1] == '}' || t[0] == '[' && t[len(t)-1] == ']') || w.exempt || w.depth >= maxDepth || !json.Valid([]byte(t)) {
		return "", same
	}
	x, err := decode([]byte(t))
	if err != nil {
		return "", same
	}
	before := w.hits
	out, s := w.any(x)
	if s == gone || w.hits == before {
		return "", same
	}
	if out, s := w.named("string"); s != same {
		return out, s // the name says what the text is as a whole
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(out) != nil {
		return unreadable, changed
	}
	return strings.TrimSuffix(b.String(), "\n"), changed
}

// named decides about a value by its name alone.
func (w *worker) named(kind string) (string, state) {
	if len(w.steps) == 0 && w.tags == nil {
		return "", same
	}
	return w.look(kind, "", false, slog.StringValue(""))
}

// url decides about a web address part by part: the name of a parameter says what its
// value is.
func (w *worker) url(u *url.URL) (any, state) {
	if out, s := w.named("url"); s != same {
		return out, s
	}
	p := w.away()
	defer w.back(p)
	w.exempt = p.exempt
	var b strings.Builder
	part := func(text string) {
		if x, s := w.textual("url", text); s != gone {
			b.WriteString(x)
		}
	}
	if u.Scheme != "" {
		b.WriteString(u.Scheme + ":")
	}
	if u.Opaque != "" {
		part(u.Opaque)
	} else {
		if u.Host != "" || u.User != nil || u.Scheme == "file" {
			b.WriteString("//")
		}
		if u.User != nil {
			b.WriteString(w.user(u.User) + "@")
		}
		part(u.Host)
		part(u.EscapedPath())
	}
	for i, pair := range strings.Split(u.RawQuery, "&") {
		switch {
		case i > 0:
			b.WriteByte('&')
		case u.RawQuery != "" || u.ForceQuery:
			b.WriteByte('?')
		}
		name, value, has := strings.Cut(pair, "=")
		plain := unescaped(name)
		if key := w.key(plain); key != plain {
			name = key
		}
		b.WriteString(name)
		if !has {
			continue
		}
		b.WriteByte('=')
		w.steps = append(w.steps, plain)
		switch x, s := w.text("string", unescaped(value)); s {
		case same:
			b.WriteString(value)
		case changed:
			b.WriteString(x)
		}
		w.steps = w.steps[:len(w.steps)-1]
	}
	if u.Fragment != "" {
		b.WriteByte('#')
		part(u.EscapedFragment())
	}
	return b.String(), changed
}

func unescaped(s string) string {
	if t, err := url.QueryUnescape(s); err == nil {
		return t
	}
	return s
}

// user is the user of a web address; nobody logs a password.
func (w *worker) user(u *url.Userinfo) string {
	p := w.away()
	defer w.back(p)
	w.steps = append(w.steps, "username")
	out, s := w.text("string", u.Username())
	if s == same {
		out = u.Username()
	}
	if _, ok := u.Password(); ok {
		out += ":xxxxx"
	}
	return out
}
