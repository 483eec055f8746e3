// Package conform holds the cases that every way into the product must answer with
// the same bytes: the Go packages, the WebAssembly module in wazero, the module in
// Node, and every host that comes later. It is for tests only.
//
// The cases stand in testdata/cases.jsonl, one a line; what must come out stands in
// testdata/golden.jsonl in the same order. [Prepare] writes everything that a host
// in another language needs into a folder.
package conform

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/signature"
)

// MinCases is how many cases there must be at least: a loader that finds nothing
// would agree with everything.
const MinCases = 100

//go:embed testdata
var files embed.FS

// A Case is one question. Its input is Input; or the bytes of a bundle, changed as
// Change says; or Times repetitions of Repeat between Before and After.
type Case struct {
	Name   string `json:"name"`
	Op     string `json:"op"`
	Policy string `json:"policy"` // name of a bundle; empty: none is open
	Input  string `json:"input"`

	Base64 string `json:"base64,omitempty"` // instead of Input: what is no text
	Bundle string `json:"bundle,omitempty"` // instead of Input: a bundle's bytes
	Change string `json:"change,omitempty"` // whole, cut, flip, newer, longer, signed
	Before string `json:"before,omitempty"`
	Repeat string `json:"repeat,omitempty"`
	After  string `json:"after,omitempty"`
	Times  int    `json:"times,omitempty"`

	// Why says what the case is there for.
	Why string `json:"why"`
}

// A Result is what became of a case. Text is an answer, or an error in JSON.
type Result struct {
	Name  string `json:"name"`
	Error bool   `json:"error"`
	Text  string `json:"text"`
}

// Cases reads the cases. It fails on fewer than [MinCases], on a key that it does
// not know, and on two cases of one name.
func Cases() ([]Case, error) {
	var out []Case
	seen := map[string]bool{}
	err := lines("testdata/cases.jsonl", func(d *json.Decoder) error {
		var c Case
		if err := d.Decode(&c); err != nil {
			return err
		}
		switch {
		case c.Name == "" || c.Op == "" || c.Why == "":
			return errors.New("a case needs name, op and why")
		case seen[c.Name]:
			return fmt.Errorf("two cases are named %q", c.Name)
		}
		seen[c.Name] = true
		out = append(out, c)
		return nil
	})
	if err == nil && len(out) < MinCases {
		err = fmt.Errorf("only %d cases were found, at least %d are needed", len(out), MinCases)
	}
	return out, err
}

// Golden reads what must come out.
func Golden() ([]Result, error) {
	var out []Result
	err := lines("testdata/golden.jsonl", func(d *json.Decoder) error {
		var r Result
		if err := d.Decode(&r); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

func lines(name string, each func(*json.Decoder) error) error {
	text, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	for i, line := range strings.Split(string(text), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := each(d); err != nil {
			return fmt.Errorf("%s:%d: %w", filepath.Base(name), i+1, err)
		}
	}
	return nil
}

// Bytes is the input of the case.
func (c *Case) Bytes(bundles map[string][]byte) ([]byte, error) {
	switch {
	case c.Base64 != "":
		return base64.StdEncoding.DecodeString(c.Base64)
	case c.Times > 0:
		return []byte(c.Before + strings.Repeat(c.Repeat, c.Times) + c.After), nil
	case c.Bundle == "":
		return []byte(c.Input), nil
	}
	data, ok := bundles[c.Bundle]
	if !ok {
		return nil, fmt.Errorf("case %s: there is no bundle %s", c.Name, c.Bundle)
	}
	data = bytes.Clone(data)
	switch c.Change {
	case "whole":
	case "cut":
		data = data[:len(data)/2]
	case "flip":
		data[len(data)/2] ^= 1
	case "newer":
		data[8]++
	case "longer":
		data = append(data, 0)
	case "signed":
		b, err := privacy.ReadBundle(data)
		if err != nil {
			return nil, err
		}
		if b, err = signature.Sign(b, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))); err != nil {
			return nil, err
		}
		data = b.Bytes()
	default:
		return nil, fmt.Errorf("case %s: a bundle cannot be changed by %q", c.Name, c.Change)
	}
	return data, nil
}

// Bundles compiles the policies that the cases speak of, by name.
func Bundles() (map[string][]byte, error) {
	out := map[string][]byte{}
	pack, err := policy.Pack("windows-service-data")
	if err != nil {
		return nil, err
	}
	out["windows-service-data"] = pack.Bytes()
	for _, name := range []string{"assent", "parity", "terms"} {
		text, err := files.ReadFile("testdata/" + name + ".yaml")
		if err != nil {
			return nil, err
		}
		own, err := policy.Compile(name+".yaml", text)
		if err != nil {
			return nil, err
		}
		out[name] = own.Bytes()
	}
	return out, nil
}

// The secrets that every host gives to every policy before it asks: versions 1 and
// 2 of the tenant contoso. They protect nothing.
const SecretTenant = "contoso"

// Secret is the fixed secret of a version.
func Secret(version uint32) []byte {
	out := make([]byte, pseudonym.SecretSize)
	for i := range out {
		out[i] = byte(i) + byte(32*(version-1))
	}
	return out
}

// SecretVersions are the versions that the tenant has.
var SecretVersions = []uint32{1, 2}

// Native answers the cases by the Go packages.
type Native struct {
	bundles map[string][]byte
	guards  map[string]*privacy.Guard
}

// NewNative opens all bundles.
func NewNative(bundles map[string][]byte) (*Native, error) {
	n := &Native{bundles, map[string]*privacy.Guard{}}
	for name, data := range bundles {
		b, err := privacy.ReadBundle(data)
		if err != nil {
			return nil, err
		}
		store := new(pseudonym.Memory)
		for _, v := range SecretVersions {
			s, err := pseudonym.NewSecret(Secret(v))
			if err != nil {
				return nil, err
			}
			if err := store.Add(SecretTenant, v, s); err != nil {
				return nil, err
			}
		}
		if n.guards[name], err = privacy.Open(b, privacy.WithSecrets(store)); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Answer answers one case.
func (n *Native) Answer(ctx context.Context, c *Case) (Result, error) {
	in, err := c.Bytes(n.bundles)
	if err != nil {
		return Result{}, err
	}
	g := n.guards[c.Policy]
	if g == nil {
		return Result{}, fmt.Errorf("case %s: there is no policy %q", c.Name, c.Policy)
	}
	var out []byte
	switch c.Op {
	case "classify":
		out, err = g.ClassifyJSON(nil, in)
	case "consent_check":
		out, err = g.DecideJSON(ctx, nil, in)
	case "describe":
		out = g.DescribeJSON(nil)
	case "explain":
		out, err = g.ProcessJSON(ctx, nil, in, true)
	case "hash":
		out, err = g.PseudonymiseJSON(ctx, nil, in)
	case "process":
		out, err = g.ProcessJSON(ctx, nil, in, false)
	case "retention":
		out, err = g.PlanJSON(nil, in)
	case "validate":
		var b *privacy.Bundle
		if b, err = privacy.ReadBundle(in); err == nil {
			if _, err = privacy.Open(b); err == nil {
				out = b.Info().AppendJSON(nil)
			}
		}
	default:
		return Result{}, fmt.Errorf("case %s: there is no operation %q", c.Name, c.Op)
	}
	if err != nil {
		return Result{c.Name, true, string(privacy.AppendErrorJSON(nil, err))}, nil
	}
	return Result{c.Name, false, string(out)}, nil
}

// Module is the guest: the file that the variable PRIVET_WASM names, or one that
// is built into dir.
func Module(ctx context.Context, dir string) ([]byte, error) {
	if name := os.Getenv("PRIVET_WASM"); name != "" {
		return os.ReadFile(name)
	}
	name := filepath.Join(dir, "privet.wasm")
	if err := Build(ctx, name); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

// Build builds the guest with the Go toolchain and lets it say what it is.
func Build(ctx context.Context, name string) error {
	root, err := root()
	if err != nil {
		return err
	}
	if name, err = filepath.Abs(name); err != nil {
		return err
	}
	run := func(environment []string, arguments ...string) error {
		command := exec.CommandContext(ctx, "go", arguments...)
		command.Dir, command.Env = root, append(os.Environ(), environment...)
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building the guest: go %s: %w\n%s", arguments[0], err, out)
		}
		return nil
	}
	if err := run([]string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}, "build", "-trimpath", "-ldflags=-s -w", "-buildmode=c-shared", "-o", name, "./wasm"); err != nil {
		return err
	}
	return run(nil, "run", "./internal/cmd/wasmstamp", name)
}

// root is the folder of go.mod.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working folder")
		}
		dir = parent
	}
}

// A resolved case is what a host in another language reads: the input is bytes, and
// nothing has to be compiled.
type resolved struct {
	Name   string `json:"name"`
	Op     string `json:"op"`
	Policy string `json:"policy"`
	Base64 string `json:"base64"`
}

// Prepare writes into a folder what a host needs to answer the cases: every bundle
// as NAME.bundle, the inputs as cases.jsonl, and the module as privet.wasm.
func Prepare(dir string, module []byte, bundles map[string][]byte, cases []Case) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	put := func(name string, data []byte) error { return os.WriteFile(filepath.Join(dir, name), data, 0o644) }
	for name, data := range bundles {
		if err := put(name+".bundle", data); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	for i := range cases {
		in, err := cases[i].Bytes(bundles)
		if err != nil {
			return err
		}
		if err := e.Encode(resolved{cases[i].Name, cases[i].Op, cases[i].Policy, base64.StdEncoding.EncodeToString(in)}); err != nil {
			return err
		}
	}
	if err := put("cases.jsonl", text.Bytes()); err != nil {
		return err
	}
	return put("privet.wasm", module)
}
