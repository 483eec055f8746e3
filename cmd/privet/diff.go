package main

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/privacy"
)

func newDiff(e *env) *cobra.Command {
	var f diffFlags
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changes between two policies, in their text and for a sample of events",
		Long: `Diff compares two policies, each a YAML file, a bundle or pack:NAME. It lists what was
added, removed and changed: rules, detectors, purposes, transforms, retention and all
the rest, with old and new conditions.

With --events it decides about each event of a sample by both, with the same secrets
and the same instant, and counts the fields whose labels, outcome or form change, and
the events whose outcome or deadlines do. Changes of one kind are told once, with how
many there are and the lines of the first; it shows no value of an event.

A change is told by path: numbers of items in lists are left out.

Exit status, as diff(1) has it: 0 no difference, 1 a difference, 2 could not compare,
or a line of the sample was bad.`,
		Example: `  privet diff policy.bundle policy.yaml
  privet diff old.bundle new.bundle --events sample.jsonl
  privet diff old.yaml new.yaml --events sample.jsonl --json | jq .events`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return mended("two policies are compared", "name them: privet diff old.bundle new.yaml")
			}
			return nil
		},
		ValidArgsFunction: completePolicy,
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c.Context(), e, args[0], args[1])
		},
	}
	f.register(c)
	return c
}

// A change is one difference between two policies; its JSON is kept stable.
type change struct {
	Part   string        `json:"part"`
	ID     string        `json:"id,omitempty"`
	Change string        `json:"change"` // added, removed, changed or reordered
	Fields []fieldChange `json:"fields,omitempty"`
}

type fieldChange struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// compare lists what changes from one policy to another: what it says of itself, then
// its parts in the order of the wire form. It leaves nothing out: policies without a difference have equal bytes.
func compare(from, to *privacy.Bundle) ([]change, error) {
	a, err := bundle.Decode(from.Bytes())
	if err != nil {
		return nil, err
	}
	b, err := bundle.Decode(to.Bytes())
	if err != nil {
		return nil, err
	}
	var out []change
	compareParts(&out, reflect.ValueOf(*a), reflect.ValueOf(*b))
	return out, nil
}

func compareParts(out *[]change, a, b reflect.Value) {
	var plain []fieldChange
	begin := len(*out)
	for i := range a.NumField() {
		name := partName(a.Type().Field(i).Name)
		x, y := a.Field(i), b.Field(i)
		switch x.Kind() {
		case reflect.Slice:
			if x.Type().Elem().Kind() == reflect.String {
				plain = compareField(plain, a.Type().Field(i).Name, x, y)
				continue
			}
			compareLists(out, name, x, y)
		case reflect.Struct:
			if x.Type() == reflect.TypeFor[bundle.Classification]() {
				compareParts(out, x, y)
			} else if rows := x.FieldByName("Rules"); rows.IsValid() { // a table of ages or regimes
				fields := slices.DeleteFunc(compareFields(nil, x, y), func(f fieldChange) bool { return f.Field == "rules" })
				if len(fields) > 0 {
					*out = append(*out, change{Part: name, Change: "changed", Fields: fields})
				}
				compareLists(out, name, rows, y.FieldByName("Rules"))
			} else if fields := compareFields(nil, x, y); len(fields) > 0 {
				*out = append(*out, change{Part: name, Change: "changed", Fields: fields})
			}
		default:
			plain = compareField(plain, a.Type().Field(i).Name, x, y)
		}
	}
	if len(plain) > 0 {
		*out = slices.Insert(*out, begin, change{Part: "policy", Change: "changed", Fields: plain})
	}
}

// partName is the name that Parts has for a field of a bundle.
func partName(field string) string {
	switch field {
	case "Suppress":
		return "suppressions"
	case "Adjust":
		return "adjustments"
	}
	return snake(field)
}

func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		// A word begins at a capital after a small letter: AsOf, and not in ISO19944.
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(rune(name[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// keyOf names an entry of a list.
func keyOf(v reflect.Value) string {
	for _, name := range []string{"ID", "Key", "Name"} {
		if f := v.FieldByName(name); f.IsValid() {
			if v.Type() == reflect.TypeFor[bundle.Notice]() {
				return f.String() + " " + v.FieldByName("Version").String()
			}
			return f.String()
		}
	}
	if place := v.FieldByName("Place"); place.IsValid() { // a row of a table
		key := cmp.Or(place.String(), "any place")
		if from := v.FieldByName("From").Int(); from != 0 {
			key += " from " + day(from)
		}
		return key
	}
	return ""
}

// keysOf names the entries of a list; a second one of a name is told apart.
func keysOf(list reflect.Value) ([]string, map[string]reflect.Value) {
	keys, entries := make([]string, list.Len()), map[string]reflect.Value{}
	for i := range keys {
		key := keyOf(list.Index(i))
		for n := 2; entries[key].IsValid(); n++ {
			key = keyOf(list.Index(i)) + " #" + strconv.Itoa(n)
		}
		keys[i], entries[key] = key, list.Index(i)
	}
	return keys, entries
}

func compareLists(out *[]change, part string, a, b reflect.Value) {
	oldKeys, old := keysOf(a)
	newKeys, next := keysOf(b)
	for _, key := range oldKeys {
		if !next[key].IsValid() {
			*out = append(*out, change{Part: part, ID: key, Change: "removed", Fields: fieldsOf(old[key], false)})
		}
	}
	for _, key := range newKeys {
		if !old[key].IsValid() {
			*out = append(*out, change{Part: part, ID: key, Change: "added", Fields: fieldsOf(next[key], true)})
		} else if fields := compareFields(nil, old[key], next[key]); len(fields) > 0 {
			*out = append(*out, change{Part: part, ID: key, Change: "changed", Fields: fields})
		}
	}
	gone := func(other map[string]reflect.Value) func(string) bool {
		return func(key string) bool { return !other[key].IsValid() }
	}
	// The order counts: of the transforms that fit, for example, the first is used.
	if !slices.Equal(slices.DeleteFunc(oldKeys, gone(next)), slices.DeleteFunc(newKeys, gone(old))) {
		*out = append(*out, change{Part: part, Change: "reordered"})
	}
}

// fieldsOf tells what an entry says that came or went: what is not empty.
func fieldsOf(v reflect.Value, added bool) []fieldChange {
	none := reflect.Zero(v.Type())
	fields := compareFields(nil, none, v)
	if !added {
		fields = compareFields(nil, v, none)
	}
	return slices.DeleteFunc(fields, func(f fieldChange) bool { return f.Field == "id" || f.Field == "key" || f.Field == "name" })
}

// compareFields compares two entries of one kind.
func compareFields(out []fieldChange, a, b reflect.Value) []fieldChange {
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if f.Anonymous {
			out = compareFields(out, a.Field(i), b.Field(i))
			continue
		}
		if f.Type.Kind() == reflect.Struct { // the stages and the schedule of a deadline
			for _, c := range compareFields(nil, a.Field(i), b.Field(i)) {
				c.Field = snake(f.Name) + "." + c.Field
				out = append(out, c)
			}
			continue
		}
		out = compareField(out, f.Name, a.Field(i), b.Field(i))
	}
	return out
}

func compareField(out []fieldChange, name string, a, b reflect.Value) []fieldChange {
	if string(wire(a)) == string(wire(b)) {
		return out
	}
	c := fieldChange{snake(name), written(name, a), written(name, b)}
	if c.Old == c.New { // one text, compiled in two ways
		c.New += " (compiled anew)"
	}
	return append(out, c)
}

// wire is what is compared: of an expression its wire form, which has its text too.
func wire(v reflect.Value) []byte {
	if p, ok := v.Interface().(*expr.Program); ok {
		if p == nil {
			return nil
		}
		return p.Append([]byte{1})
	}
	return fmt.Appendf(nil, "%#v", v.Interface())
}

// written is a value of a policy as its author would know it.
func written(name string, v reflect.Value) string {
	switch x := v.Interface().(type) {
	case *expr.Program:
		if p := x; p != nil {
			return p.Text(len(p.Nodes) - 1)
		}
		return ""
	case []bundle.Pair:
		var pairs []string
		for _, p := range x {
			pairs = append(pairs, p.Key+": "+p.Value)
		}
		return strings.Join(pairs, ", ")
	case []bundle.DataFlow:
		var flows []string
		for _, f := range x {
			flows = append(flows, f.Purpose+" ("+cmp.Or(strings.Join(f.Categories, ", "), "anything")+")")
		}
		return strings.Join(flows, ", ")
	case int64:
		switch {
		case name == "Published" || name == "Effective" || name == "From":
			return day(x)
		case name == "NoticeLead" && x == -1:
			return "none"
		case name == "NoticeLead" && x == 0:
			return ""
		case name == "NoticeLead":
			return (time.Duration(x) * time.Second).String()
		}
	case int16:
		return strconv.FormatFloat(float64(x)/1000, 'f', -1, 64)
	case []int64: // days of a calendar
		var days []string
		for _, d := range x {
			days = append(days, time.Unix(d*86400, 0).UTC().Format(time.DateOnly))
		}
		return strings.Join(days, ", ")
	case uint8: // a weekend, from Sunday
		var days []string
		for d := time.Sunday; d <= time.Saturday; d++ {
			if x&(1<<d) != 0 {
				days = append(days, strings.ToLower(d.String()))
			}
		}
		return strings.Join(days, ", ")
	case uint16: // shares of one, in thousandths, but for what is counted
		if name == "AtLeast" || name == "Under" || name == "HonourDays" {
			break
		}
		if name == "Floor" && x > 0 {
			x--
		}
		return strconv.FormatFloat(float64(x)/1000, 'f', -1, 64)
	}
	if v.Kind() == reflect.Slice {
		var texts []string
		for i := range v.Len() {
			texts = append(texts, v.Index(i).String())
		}
		return strings.Join(texts, ", ")
	}
	return fmt.Sprint(v.Interface())
}

// printChanges tells the changes of the text.
func printChanges(w io.Writer, changes []change) {
	part := ""
	for _, c := range changes {
		if c.Part != part {
			part = c.Part
			fmt.Fprintln(w, strings.ReplaceAll(part, "_", " "))
		}
		sign := map[string]string{"added": "+", "removed": "-", "changed": "~", "reordered": "~"}[c.Change]
		switch {
		case c.Change == "reordered":
			fmt.Fprintf(w, "  %s another order\n", sign)
		case c.ID != "":
			fmt.Fprintf(w, "  %s %s\n", sign, show(c.ID))
		}
		for _, f := range c.Fields {
			switch c.Change {
			case "added":
				fmt.Fprintf(w, "      %s: %s\n", f.Field, show(f.New))
			case "removed":
				fmt.Fprintf(w, "      %s: %s\n", f.Field, show(f.Old))
			default:
				fmt.Fprintf(w, "    %s: %s → %s\n", f.Field, orNone(f.Old), orNone(f.New))
			}
		}
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return show(s)
}
