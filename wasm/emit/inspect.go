package emit

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/wasmabi"
)

// partsSection is the custom section with what [Inspect] cannot read off the rest.
const partsSection = "parts"

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
	if json.Unmarshal(about, &head) != nil || head.Kind != "classifier" {
		return nil, ErrNotClassifier
	}
	code, data, ok := i.read(rest)
	if !ok {
		return nil, ErrNotClassifier
	}
	i.SignedBy, i.MaxInput, i.MaxMemory = head.Signature.Key, head.MaxInput, head.MaxMemory
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
			divide("code", whole, code)
		case id == 11:
			divide("data", whole, data)
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
	case slices.Contains([]string{"binary", "bytes", "crc32", "sha256", "strings", "subgo", "unicode", "utf8"}, head):
		return "library"
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

// The names in the section for Inspect are numbers: places in these lists, which only
// grow. What is in neither is other.
var (
	partNames      = [...]string{"other", "abi", "data", "dense", "description", "detect", "expr", "find", "library", "plain", "rt", "run", "text", "words"}
	automatonNames = [...]string{"other", "detectors", "matches in conditions", "rules: field.name", "rules: field.path", "rules: field.type",
		"rules: field.source", "rules: field.description", "rules: value"}
)

// numberOf is the place of a name in a list, 0 if it is not there.
func numberOf(name string, list []string) int { return max(0, slices.Index(list, name)) }

// parts writes the section for Inspect: numbers of seven bits a byte, as module sections
// have them. They are the numbers of categories, detectors and rules; how many automata
// there are, and of each its name, patterns, groups and states; how many parts of code,
// and of each its name and bytes; the same of data.
func (p *plan) parts(code, data map[string]int) []byte {
	var out []byte
	put := func(numbers ...int) {
		for _, n := range numbers {
			out = binary.AppendUvarint(out, uint64(n))
		}
	}
	put(len(p.categories), len(p.detectors), len(p.rules), len(p.automata))
	for _, a := range p.automata {
		put(numberOf(a.Name, automatonNames[:]), a.Patterns, a.Groups, a.States)
	}
	for _, m := range []map[string]int{code, data} {
		put(len(m))
		for _, k := range sortedBySize(m) {
			put(numberOf(k, partNames[:]), m[k])
		}
	}
	return out
}

// read reads what parts has written; false if it is something else.
func (i *Inspection) read(section []byte) (code, data map[string]int, ok bool) {
	ok = true
	next := func(most int) int {
		v, n := binary.Uvarint(section)
		if n <= 0 || v > uint64(most) {
			ok = false
			return 0
		}
		section = section[n:]
		return int(v)
	}
	name := func(list []string) string { return list[next(len(list)-1)] }
	i.Categories, i.Detectors, i.Rules = next(math.MaxInt32), next(math.MaxInt32), next(math.MaxInt32)
	for n := next(len(section)); n > 0 && ok; n-- {
		i.Automata = append(i.Automata, Automaton{Name: name(automatonNames[:]), Patterns: next(math.MaxInt32), Groups: next(math.MaxInt32), States: next(math.MaxInt32)})
	}
	sizes := func() map[string]int {
		m := map[string]int{}
		for n := next(len(section)); n > 0 && ok; n-- {
			m[name(partNames[:])] += next(math.MaxInt32)
		}
		return m
	}
	code, data = sizes(), sizes()
	return code, data, ok && len(section) == 0
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
