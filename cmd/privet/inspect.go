package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/signature"
)

func newInspect(e *env) *cobra.Command {
	var asJSON bool
	var pinned pins
	c := &cobra.Command{
		Use:   "inspect POLICY",
		Short: "Say what is in a bundle, policy or classifier module: version, signature, sizes, counts",
		Long: `Inspect says what is in a bundle, or in the bundle that a policy text would make: its
name, version, profile and fingerprint, who signed it, how large each part is and how
many entries it has, the regular expressions, and the sources and facts behind it.

A signature is checked against the key that the bundle itself names, which shows that
it is whole, not whose it is. With --public-key it is checked against keys that you
have, and a bundle that none of them has signed is refused.

Of a classifier module, which privet compile --target wasm writes, it says the same as
far as that goes, with the limits of the module and the automata in it. It does not run
the module. The signature of a bundle cannot be checked in a module: it is not the
bundle any more.

Exit status: 0 shown, 2 not readable or refused.`,
		Example: `  privet inspect policy.bundle
  privet inspect policy.bundle --public-key release.key.pub
  privet inspect pack:windows-service-data --json | jq .parts
  privet inspect classifier.wasm`,
		Args:              policyArgument,
		ValidArgsFunction: completePolicy,
		RunE: func(_ *cobra.Command, args []string) error {
			if isModule(args[0]) {
				if len(pinned.files) > 0 {
					return mended("a classifier module cannot be checked with --public-key", "check the bundle that it was made of, and compare the fingerprints")
				}
				i, err := inspectModule(args[0])
				switch {
				case err != nil:
					return err
				case asJSON:
					return printJSON(e.stdout, i)
				}
				return i.print(e.stdout)
			}
			b, err := pinned.load(args[0])
			if err != nil {
				return err
			}
			i, err := inspect(b)
			if err != nil {
				return err
			}
			i.Signature.Pinned = i.Signature.Signed && len(pinned.files) > 0
			if asJSON {
				return printJSON(e.stdout, i)
			}
			return i.print(e.stdout)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object in place of text")
	pinned.register(c)
	return c
}

func printJSON(w io.Writer, v any) error {
	j := json.NewEncoder(w)
	j.SetIndent("", "  ")
	j.SetEscapeHTML(false)
	return j.Encode(v)
}

// An inspection is what inspect says; its JSON is kept stable.
type inspection struct {
	policyJSON
	Profile   int           `json:"profile"`
	Effective string        `json:"effective,omitempty"`
	Signature signatureJSON `json:"signature"`
	Bytes     int           `json:"bytes"`
	Parts     []sectionJSON `json:"parts"`
	// Expressions are conditions and places; a regular expression is that of a
	// detector, or one that a condition matches with.
	Expressions        int                 `json:"expressions"`
	RegularExpressions regexJSON           `json:"regular_expressions"`
	Sources            []sourceJSON        `json:"sources"`
	Facts              map[string][]string `json:"facts"`
}

type policyJSON struct {
	Name        string `json:"name"`
	Version     uint64 `json:"version"`
	Fingerprint string `json:"fingerprint"`
}

type signatureJSON struct {
	Signed bool   `json:"signed"`
	Key    string `json:"key,omitempty"`
	Valid  bool   `json:"valid"`  // by the key that the bundle names
	Pinned bool   `json:"pinned"` // that key was given with --public-key
}

type sectionJSON struct {
	Name  string `json:"name"`
	Items int    `json:"items"`
	Bytes int    `json:"bytes"`
}

type regexJSON struct {
	Detectors  int `json:"detectors"`
	Conditions int `json:"conditions"`
}

type sourceJSON struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Layer string `json:"layer"`
	AsOf  string `json:"as_of"`
}

// inspect takes a bundle apart.
func inspect(b *privacy.Bundle) (*inspection, error) {
	data := b.Bytes()
	inside, err := bundle.Decode(data)
	if err != nil {
		return nil, err
	}
	i := &inspection{policyJSON: policyJSON(b.Info()), Profile: profile.Version, Effective: day(inside.Effective), Bytes: len(data), Facts: b.Facts(), Sources: []sourceJSON{}}
	if key := signature.By(b); key != nil {
		i.Signature = signatureJSON{Signed: true, Key: signature.KeyID(key), Valid: signature.Verify(b, key) == nil}
	}
	sum := 0
	for _, p := range inside.Parts() {
		i.Parts = append(i.Parts, sectionJSON(p))
		sum += p.Bytes
	}
	if i.Signature.Signed {
		i.Parts = append(i.Parts, sectionJSON{Name: "signature", Bytes: len(data) - sum})
	}
	for _, s := range b.Sources() {
		i.Sources = append(i.Sources, sourceJSON(s))
	}
	for range programs(reflect.ValueOf(inside)) {
		i.Expressions++
	}
	for p := range programs(reflect.ValueOf(inside)) {
		i.RegularExpressions.Conditions += len(p.Patterns)
	}
	for _, d := range inside.Classification.Detectors {
		if d.Pattern != "" {
			i.RegularExpressions.Detectors++
		}
	}
	return i, nil
}

// programs gives every expression below a value of the bundle.
func programs(v reflect.Value) func(yield func(*expr.Program) bool) {
	return func(yield func(*expr.Program) bool) { eachProgram(v, yield) }
}

func eachProgram(v reflect.Value, yield func(*expr.Program) bool) bool {
	switch v.Kind() {
	case reflect.Pointer:
		if p, ok := v.Interface().(*expr.Program); ok {
			return p == nil || yield(p)
		}
		return eachProgram(v.Elem(), yield)
	case reflect.Slice:
		for i := range v.Len() {
			if !eachProgram(v.Index(i), yield) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !eachProgram(v.Field(i), yield) {
				return false
			}
		}
	}
	return true
}

// day writes an instant of a policy; "" if there is none.
func day(sec int64) string {
	if sec == 0 {
		return ""
	}
	return time.Unix(sec, 0).UTC().Format(time.RFC3339)
}

func (i *inspection) print(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s version %d, profile %d", show(i.Name), i.Version, i.Profile)
	line("fingerprint  %s", i.Fingerprint)
	switch s := i.Signature; {
	case !s.Signed:
		line("signature    none")
	case s.Pinned:
		line("signature    by key %s, which is one of those given", s.Key)
	case s.Valid:
		line("signature    by key %s: whole; give --public-key to check whose it is", s.Key)
	default:
		line("signature    names key %s and is wrong: do not use this bundle", s.Key)
	}
	if i.Effective != "" {
		line("effective    %s", i.Effective)
	}
	r := i.RegularExpressions
	line("expressions  %s; regular expressions: %s of detectors, %s in conditions", group(i.Expressions), group(r.Detectors), group(r.Conditions))
	line("\n%-14s %7s %11s", "part", "entries", "bytes")
	for _, p := range i.Parts {
		items := ""
		if p.Items == 0 && p.Bytes == 1 {
			continue // an empty list
		}
		if p.Items > 0 {
			items = group(p.Items)
		}
		line("%-14s %7s %11s", strings.ReplaceAll(p.Name, "_", " "), items, group(p.Bytes))
	}
	line("%-14s %7s %11s", "all", "", group(i.Bytes))
	if len(i.Sources) > 0 {
		line("\nsources")
		for _, s := range i.Sources {
			line("  %s: %s (%s, %s)", show(s.ID), show(s.Title), show(s.Layer), show(s.AsOf))
		}
	}
	if len(i.Facts) > 0 {
		facts := slices.SortedFunc(maps.Keys(i.Facts), byNumber)
		for n, f := range facts {
			facts[n] = show(f)
		}
		line("\n%s of the sources: %s", plural(len(facts), "fact"), strings.Join(facts, " "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// show is a text of a policy on one line of a terminal: a bundle from anywhere may
// hold anything.
func show(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// byNumber orders R2 before R10.
func byNumber(a, b string) int {
	letters := func(s string) string { return strings.TrimRight(s, "0123456789") }
	if x, y := letters(a), letters(b); x == y {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	}
	return strings.Compare(a, b)
}
