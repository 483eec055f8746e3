package emit

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/wasmabi"
)

// partsSection is the custom section with what [Inspect] cannot read off the rest.
const partsSection = "privacy.parts"

// An Inspection is what a classifier module says of itself.
type Inspection struct {
	ABI struct {
		Major int `json:"major"`
		Minor int `json:"minor"`
	}
	Policy struct {
		Name    string `json:"name"`
		Version uint64 `json:"version"`
	}
	Profile     int
	Fingerprint string // of the bundle that it was made of
	// SignedBy is the public key in hex of who signed that bundle, "" for nobody. A
	// module cannot be checked against it: only the bundle can.
	SignedBy            string
	MaxInput, MaxMemory int // bytes
	Categories          int
	Rules               int
	Detectors           int
	Automata            []Automaton
	Parts               []Part // add up to the bytes of the module
}

// An Automaton looks for several patterns at once.
type Automaton struct {
	Name     string `json:"name"`
	Patterns int    `json:"patterns"`
	States   int    `json:"states"`
	Groups   int    `json:"groups"` // of patterns that have tables of their own
}

// A Part is a part of a module.
type Part struct {
	Name  string
	Bytes int
}

// ErrNotClassifier reports bytes that are not a classifier module.
var ErrNotClassifier = errors.New("emit: not a classifier module: make one with privet compile --target wasm")

// The sections of modules.
var sectionNames = [...]string{"", "types", "imports", "functions", "table", "memory", "globals", "exports", "start", "elements", "code", "data"}

// Inspect reads what a module says of itself, without running it.
func Inspect(module []byte) (*Inspection, error) {
	about, err := wasmabi.Read(module, wasmabi.Section)
	if err != nil {
		return nil, ErrNotClassifier
	}
	rest, err := wasmabi.Read(module, partsSection)
	if err != nil {
		return nil, ErrNotClassifier
	}
	var i Inspection
	var head struct {
		*Inspection
		Kind      string
		MaxInput  int `json:"max_input"`
		MaxMemory int `json:"max_memory"`
		Signature struct{ Key string }
	}
	head.Inspection = &i
	var tail struct {
		Automata                     []Automaton
		Categories, Detectors, Rules int
		Code, Data                   map[string]int
	}
	if json.Unmarshal(about, &head) != nil || head.Kind != "classifier" || json.Unmarshal(rest, &tail) != nil {
		return nil, ErrNotClassifier
	}
	i.SignedBy, i.MaxInput, i.MaxMemory = head.Signature.Key, head.MaxInput, head.MaxMemory
	i.Automata, i.Categories, i.Detectors, i.Rules = tail.Automata, tail.Categories, tail.Detectors, tail.Rules
	// Each section by itself; code and data divided further.
	add := func(name string, n int) {
		if n != 0 {
			i.Parts = append(i.Parts, Part{name, n})
		}
	}
	divide := func(name string, size int, by map[string]int) {
		for part, n := range by {
			size -= n
			add(name+": "+part, n)
		}
		add(name+": heads", size)
	}
	sum := 0
	for at := 8; at < len(module); {
		size, n := binary.Uvarint(module[at+1:]) // wasmabi.Read has seen that it is whole
		whole := 1 + n + int(size)
		switch id := int(module[at]); {
		case id == 10:
			divide("code", whole, tail.Code)
		case id == 11:
			divide("data", whole, tail.Data)
		case id == 0:
			add("custom sections", whole)
		case id < len(sectionNames):
			add(sectionNames[id], whole)
		}
		at += whole
		sum += whole
	}
	add("head", len(module)-sum)
	slices.SortFunc(i.Parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	i.Parts = joined(i.Parts)
	return &i, nil
}

// joined makes one of parts of one name.
func joined(parts []Part) []Part {
	out := parts[:0]
	for _, p := range parts {
		if n := len(out); n > 0 && out[n-1].Name == p.Name {
			out[n-1].Bytes += p.Bytes
			continue
		}
		out = append(out, p)
	}
	return out
}

// owner is the part to which a symbol belongs.
func owner(symbol string) string {
	head, _, _ := strings.Cut(symbol, ".")
	switch {
	case symbol == describeSym:
		return "description"
	case head == "eval" || head == "fn":
		return "expr"
	case head == "match":
		return "run"
	}
	return head
}

// sizes are the bytes of code and of data by part. What is zero at the beginning takes
// none.
func sizes(linked *asm.Module, by func(symbol string) string) (code, data map[string]int) {
	code, data = map[string]int{}, map[string]int{}
	for name, n := range linked.Sizes {
		code[by(name)] += n
	}
	for name, n := range linked.Data {
		data[by(name)] += n
	}
	return code, data
}

// parts writes the section for Inspect.
func (p *plan) parts(code, data map[string]int) []byte {
	var w jsondoc.Writer
	w.Open('{')
	w.Name("automata")
	w.Open('[')
	for _, a := range p.automata {
		w.Open('{')
		wasmabi.WriteNumber(&w, "groups", int64(a.Groups))
		w.Name("name")
		w.String(a.Name)
		wasmabi.WriteNumber(&w, "patterns", int64(a.Patterns))
		wasmabi.WriteNumber(&w, "states", int64(a.States))
		w.Close('}')
	}
	w.Close(']')
	wasmabi.WriteNumber(&w, "categories", int64(len(p.categories)))
	numbers := func(name string, m map[string]int) {
		w.Name(name)
		w.Open('{')
		for _, k := range sortedBySize(m) {
			w.Key(k)
			w.Append(func(b []byte) []byte { return appendInt(b, m[k]) })
		}
		w.Close('}')
	}
	numbers("code", code)
	numbers("data", data)
	wasmabi.WriteNumber(&w, "detectors", int64(len(p.detectors)))
	wasmabi.WriteNumber(&w, "rules", int64(len(p.rules)))
	w.Close('}')
	return w.Buf
}

// sortedBySize are the keys, the largest value first.
func sortedBySize(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b)) })
	return keys
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
