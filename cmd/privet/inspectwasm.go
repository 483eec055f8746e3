package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/privetdev/privet/privacy/signature"
	"github.com/privetdev/privet/wasm/emit"
)

// A moduleInspection is what inspect says of a classifier module; its JSON is kept
// stable.
type moduleInspection struct {
	policyJSON
	Profile   int           `json:"profile"`
	ABI       abiJSON       `json:"abi"`
	Signature signatureJSON `json:"signature"` // of the bundle that it was made of
	Bytes     int           `json:"bytes"`
	Limits    limitsJSON    `json:"limits"`

	Categories int              `json:"categories"`
	Rules      int              `json:"rules"`
	Detectors  int              `json:"detectors"`
	Automata   []emit.Automaton `json:"automata"`
	Parts      []sectionJSON    `json:"parts"`
}

type abiJSON struct {
	Major int `json:"major"`
	Minor int `json:"minor"`
}

type limitsJSON struct {
	Input  int `json:"input_bytes"`
	Memory int `json:"memory_bytes"`
}

// isModule reports whether a file is WebAssembly.
func isModule(where string) bool {
	if strings.HasPrefix(where, "pack:") {
		return false
	}
	head, err := readHead(where, 4)
	return err == nil && bytes.Equal(head, []byte("\x00asm"))
}

// inspectModule takes a classifier module apart, without running it.
func inspectModule(where string) (*moduleInspection, error) {
	if info, err := os.Stat(where); err == nil && info.Size() > maxModule {
		return nil, mended("the module "+where+" is larger than "+size(maxModule), "is it the right file?")
	}
	data, err := os.ReadFile(where)
	if err != nil {
		return nil, fmt.Errorf("cannot read the module %s: %s", where, fileProblem(err))
	}
	m, err := emit.Inspect(data)
	switch {
	case errors.Is(err, emit.ErrNotClassifier):
		return nil, mended(where+" is WebAssembly, but no classifier module", "name a bundle, or what privet compile --target wasm wrote")
	case err != nil:
		return nil, err
	}
	i := &moduleInspection{policyJSON: policyJSON{m.Policy.Name, m.Policy.Version, m.Fingerprint}, Profile: m.Profile, ABI: abiJSON(m.ABI), Bytes: len(data),
		Limits: limitsJSON{m.MaxInput, m.MaxMemory}, Categories: m.Categories, Rules: m.Rules, Detectors: m.Detectors, Automata: m.Automata}
	if key, err := hex.DecodeString(m.SignedBy); err == nil && len(key) > 0 {
		i.Signature = signatureJSON{Signed: true, Key: signature.KeyID(key)}
	}
	for _, p := range m.Parts {
		i.Parts = append(i.Parts, sectionJSON{Name: p.Name, Bytes: p.Bytes})
	}
	return i, nil
}

func (i *moduleInspection) print(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s version %d, profile %d: a classifier module, interface %d.%d", show(i.Name), i.Version, i.Profile, i.ABI.Major, i.ABI.Minor)
	line("fingerprint  %s, of the bundle that it was made of", i.Fingerprint)
	if i.Signature.Signed {
		line("signature    that bundle was signed by key %s; a module itself cannot be checked", i.Signature.Key)
	} else {
		line("signature    none")
	}
	line("limits       input %s, memory %s", size(int64(i.Limits.Input)), size(int64(i.Limits.Memory)))
	line("contents     %s, %s, %s", plural(i.Categories, "category"), plural(i.Rules, "rule"), plural(i.Detectors, "detector"))
	for _, a := range i.Automata {
		line("automata     %s: %s, %s, %s", show(a.Name), plural(a.Patterns, "pattern"), plural(a.Groups, "group"), plural(a.States, "state"))
	}
	line("\n%-30s %11s", "part", "bytes")
	for _, p := range i.Parts {
		line("%-30s %11s", p.Name, group(p.Bytes))
	}
	line("%-30s %11s", "all", group(i.Bytes))
	_, err := io.WriteString(w, b.String())
	return err
}
