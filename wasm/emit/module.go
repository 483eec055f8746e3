package emit

import (
	"errors"
	"fmt"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/wasmabi"
	"github.com/privetdev/privet/wasm/emit/tables"
)

// Options say what [Module] makes.
type Options struct {
	// MaxInput is the longest input that the module takes, in bytes: a text, or all parts
	// of a field together. 0 is 4 MiB; at most 64 MiB. The memory that the module may
	// take follows from it: 16 times as much, and 4 MiB.
	MaxInput int
	// Titles puts the titles of categories into the description.
	Titles bool
}

// The bounds of Options.MaxInput.
const (
	defaultInput = 4 << 20
	largestInput = 64 << 20
)

// Module makes a classifier module of a bundle as privet compile writes it, with or
// without a signature: a WebAssembly 1.0 module without imports that answers as package
// classify does; wasm/ABI.md says how it is called. Equal bundles and options give equal
// bytes. What a module cannot have is told all at once, each with the id of its rule or
// detector.
func Module(data []byte, o Options) ([]byte, error) {
	m, err := build(data, o, embedded)
	if err != nil {
		return nil, err
	}
	return m.wasm, nil
}

// A built is a module, and what is known of it.
type built struct {
	wasm   []byte
	linked *asm.Module
}

// build makes a module of a bundle with a runtime, which is made anew for each.
func build(data []byte, o Options, runtime func() (*asm.Object, error)) (*built, error) {
	if o.MaxInput == 0 {
		o.MaxInput = defaultInput
	}
	if o.MaxInput < 0 || o.MaxInput > largestInput {
		return nil, fmt.Errorf("emit: a largest input of %d bytes: give 1 to %d, or 0 for %d", o.MaxInput, largestInput, defaultInput)
	}
	content, signature, err := bundle.Split(data)
	if err != nil {
		return nil, err
	}
	b, err := bundle.Decode(data)
	if err != nil {
		return nil, err
	}
	p := newPlan(&b.Classification)
	p.exprs.reserve(variables())
	if err := p.fill(); err != nil {
		return nil, err
	}
	functions, _, left := p.exprs.Functions()
	description := p.describe(b, o)
	layout, err := p.layout(description, o.MaxInput)
	if err != nil {
		return nil, err
	}
	object, err := runtime()
	if err != nil {
		return nil, err
	}
	if p.find == nil {
		// Nothing calls it then, but the functions must be whole.
		p.find = &tables.Tables{Package: "find"}
	}
	if err := errors.Join(p.run.Fill(object), p.find.Fill(object), p.packer.Tables().Fill(object)); err != nil {
		return nil, err
	}
	start := "dense.Unpack"
	if len(p.automata) == 0 {
		start = ""
	}
	linked, err := asm.Link(asm.Options{Exports: exports, Start: start, Memory: "memory", Reserve: inputSize + workSize, Grow: 16*o.MaxInput + 4<<20},
		layout, p.exprs.Object(), functions, p.asks(left), object)
	if err != nil {
		return nil, err
	}
	codeSizes, dataSizes := sizes(linked, owner)
	wasm, err := wasmabi.Set(linked.Wasm, partsSection, p.parts(codeSizes, dataSizes))
	if err == nil {
		wasm, err = wasmabi.Set(wasm, wasmabi.Section, section(b, content, signature, o.MaxInput, linked.Most))
	}
	if err != nil {
		return nil, err
	}
	return &built{wasm, linked}, nil
}

// fill makes the tables and conditions of all parts. What they refuse comes back at once.
func (p *plan) fill() error {
	atoms, problem := p.addRules()
	phrases, other := p.addDetectors()
	if err := errors.Join(problem, other); err != nil {
		return err
	}
	p.addWords(atoms, phrases)
	return p.addPatterns(p.exprs.Patterns())
}
