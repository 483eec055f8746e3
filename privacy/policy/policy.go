// Package policy is author time: it turns a policy written in YAML, with CEL for
// its conditions, into a [privacy.Bundle] that every host loads.
//
// Start with [CompileFile]. [Pack] gives the policies that come with Privet, and
// [Test] runs the tests that a policy carries.
//
// Every fault of a policy is reported at once, each with its file, line and
// column: the error is an [*Error]. Compiling reads no clock and no network; the
// same text gives the same bytes.
//
// This package reaches the CEL compiler. A service that only opens bundles does
// not import it.
package policy

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/classify/celrules"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/privacy"
)

// An Error lists every fault found in a policy, in the order of files, lines and
// columns. Its fields are Problems, each with File, Line, Column (from 1; 0 if
// unknown), Problem, Mend and Snippet.
type Error = source.Error

// A Problem is one fault of a policy.
type Problem = source.Problem

//go:embed packs/*.yaml
var packs embed.FS

// Packs are the names of the policies that come with Privet, sorted.
func Packs() []string {
	entries, err := fs.Glob(packs, "packs/*.yaml")
	if err != nil {
		return nil
	}
	for i, e := range entries {
		entries[i] = strings.TrimSuffix(strings.TrimPrefix(e, "packs/"), ".yaml")
	}
	slices.Sort(entries)
	return entries
}

// Pack compiles one of the policies that come with Privet, such as
// windows-service-data.
func Pack(name string) (*privacy.Bundle, error) {
	text, err := packText(name)
	if err != nil {
		return nil, err
	}
	return Compile("pack:"+name, text)
}

func packText(name string) ([]byte, error) {
	text, err := packs.ReadFile("packs/" + name + ".yaml")
	if err != nil {
		return nil, errors.New("policy: there is no pack of that name; the packs are: " + strings.Join(Packs(), ", "))
	}
	return text, nil
}

// CompileFile compiles the policy in a file. Files that it extends are found
// beside it.
func CompileFile(path string) (*privacy.Bundle, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Compile(path, text)
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("policy: " + path + " is a folder; name the policy file in it")
	case info.Size() > source.MaxFile:
		return nil, errors.New("policy: " + path + " is larger than " + strconv.Itoa(source.MaxFile) + " bytes; is it a policy?")
	}
	return os.ReadFile(path)
}

// Compile compiles the policy text; name stands for it in messages, and files
// that it extends are found beside the path that name is.
func Compile(name string, text []byte) (*privacy.Bundle, error) {
	d, err := compile(name, text)
	if err != nil {
		return nil, err
	}
	return d.bundle, nil
}

// A compiled policy with what only author time knows.
type compiled struct {
	bundle *privacy.Bundle
	tests  []test
	cases  []celrules.Case
	ids    []string // of the rules and detectors that the file itself defines

	warnings []Problem
}

// maxExtends bounds how many documents one policy may be made of.
const maxExtends = 16

func compile(name string, text []byte) (*compiled, error) {
	ps := new(source.Problems)
	r := &reader{ps: ps, b: new(bundle.Bundle), ids: map[string]source.Pos{}, places: map[string]source.Node{}}
	r.b.Otherwise = bundle.Otherwise{Allow: "keep", Ask: "drop", Deny: "drop", Unclassified: "keep"}
	r.b.Gates = bundle.Gates{Promotion: "consent", Combination: "consent", Share: "consent"}
	r.b.Classification.Threshold = celrules.DefaultThreshold

	out := &compiled{}
	r.read(name, text, map[string]bool{}, out)
	r.resolve()
	r.markDeletions()
	if err := ps.Err(); err != nil {
		return nil, err
	}
	encoded, err := r.b.Encode()
	if err != nil {
		return nil, err
	}
	if out.bundle, err = privacy.ReadBundle(encoded); err != nil {
		return nil, err
	}
	// What only the parts can see together (periods that contradict each other, a
	// purpose without a basis) is found by putting them together once.
	if _, err := privacy.Open(out.bundle); err != nil {
		r.blame(name, err)
		return nil, ps.Err()
	}
	out.warnings = r.warnings(name, out.bundle)
	return out, nil
}

// read reads one document and, before it, those that it extends. seen holds the
// documents that are open or done.
func (r *reader) read(name string, text []byte, seen map[string]bool, out *compiled) {
	ps := r.ps
	root := source.Parse(name, text, ps)
	if !root.Present() {
		return
	}
	doc := root.Map(ps, "policy")
	top := len(seen) == 0
	seen[name] = true

	if v := doc.Need("privet"); v.Present() {
		if n := v.Int(ps, "privet", 1, 1<<16); n > profile.Version {
			v.Problem(ps, "this policy was written for profile "+strconv.FormatInt(n, 10)+", newer than this version of privet reads", "update privet, or write: privet: "+strconv.Itoa(profile.Version))
		}
	}
	policyName := doc.Need("name").Text(ps, "name")
	if policyName.Value != "" && !idForm.MatchString(policyName.Value) {
		ps.Add(policyName.File, policyName.Pos(), "the name of a policy is lower-case letters, digits and dashes", "write for example: name: acme-orders")
	}
	version := doc.Get("version").Int(ps, "version", 0, 1<<53)
	effective := doc.Get("effective")
	if top {
		r.b.Name, r.b.Version = policyName.Value, uint64(version)
		r.b.Effective = r.instant(effective, "effective")
	}

	for _, item := range doc.Get("extends").List(ps, "extends") {
		r.extend(name, item, seen, out)
	}
	r.classification(doc, policyName.Value, top, out)
	r.section(doc)
	tests := doc.Get("tests")
	if top {
		out.tests = readTests(ps, tests)
	}
	doc.Done()
}

// extend reads an item of extends: a name, or a name and which of the detectors to
// take from it.
func (r *reader) extend(from string, item source.Node, seen map[string]bool, out *compiled) {
	if !item.IsMap() {
		r.extendBy(from, item, seen, out)
		return
	}
	m := item.Map(r.ps, "extends")
	defer m.Done()
	known := map[string]bool{}
	for i := range r.b.Classification.Detectors {
		known[r.b.Classification.Detectors[i].ID] = true
	}
	r.extendBy(from, m.Need("from"), seen, out)
	r.pick(m.Need("detectors"), known)
}

func (r *reader) extendBy(from string, item source.Node, seen map[string]bool, out *compiled) {
	t := item.Text(r.ps, "extends")
	if t.Value == "" {
		return
	}
	name := t.Value
	var text []byte
	var err error
	switch {
	case name == "builtin":
		if !seen[name] {
			seen[name] = true
			r.builtin(item)
		}
		return
	case strings.HasPrefix(name, "pack:"):
		text, err = packText(strings.TrimPrefix(name, "pack:"))
		if err != nil {
			item.Problem(r.ps, "there is no pack of that name", source.DidYouMean(strings.TrimPrefix(name, "pack:"), Packs()))
			return
		}
	default:
		if strings.HasPrefix(from, "pack:") {
			item.Problem(r.ps, "a pack cannot extend a file", "extend builtin or another pack")
			return
		}
		name = filepath.Join(filepath.Dir(from), filepath.FromSlash(name))
		if text, err = readFile(name); err != nil {
			item.Problem(r.ps, "the file to extend cannot be read", "name builtin, pack:NAME or a file beside this one")
			return
		}
	}
	if seen[name] {
		return
	}
	if len(seen) >= maxExtends {
		item.Problem(r.ps, "more than "+strconv.Itoa(maxExtends)+" documents extend each other", "merge some of them")
		return
	}
	r.read(name, text, seen, out)
}
