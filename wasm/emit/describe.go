package emit

import (
	"strconv"
	"strings"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/wasmabi"
)

// version writes the version of the interface.
func version(w *jsondoc.Writer) {
	w.Name("abi")
	w.Open('{')
	wasmabi.WriteNumber(w, "major", 1)
	wasmabi.WriteNumber(w, "minor", 0)
	w.Close('}')
}

// describe is what pv1_describe says: the names of the numbers in rows.
func (p *plan) describe(b *bundle.Bundle, o Options) []byte {
	var w jsondoc.Writer
	w.Open('{')
	version(&w)
	w.Name("categories")
	w.Open('[')
	for _, k := range p.categories {
		clause, qualifier := p.inherited(k)
		w.Open('{')
		if clause != "" {
			w.Name("iso19944")
			w.String(clause)
		}
		w.Name("key")
		w.String(k.Key)
		if qualifier != "" {
			w.Name("qualifier")
			w.String(qualifier)
		}
		if o.Titles && k.Title != "" {
			w.Name("title")
			w.String(k.Title)
		}
		w.Close('}')
	}
	w.Close(']')
	part := func(id, category string) {
		w.Open('{')
		wasmabi.WriteNumber(&w, "category", int64(p.category(category)))
		w.Name("id")
		w.String(id)
		w.Close('}')
	}
	w.Name("detectors")
	w.Open('[')
	for _, d := range p.detectors {
		part(d.ID, d.Category)
	}
	w.Close(']')
	wasmabi.WriteNumber(&w, "max_input", int64(o.MaxInput))
	w.Name("name")
	w.String(b.Name)
	wasmabi.WriteNumber(&w, "profile", profile.Version)
	w.Name("rules")
	w.Open('[')
	for _, r := range p.rules {
		part(r.ID, r.Category)
	}
	w.Close(']')
	wasmabi.WriteNumber(&w, "threshold", int64(p.cl.Threshold))
	w.Name("version")
	w.Raw(strconv.FormatUint(b.Version, 10))
	w.Close('}')
	return w.Buf
}

// inherited is the clause and the qualifier of a category, or of its nearest ancestor
// that has one.
func (p *plan) inherited(k bundle.Category) (clause, qualifier string) {
	for key := k.Key; ; {
		if i := p.category(key); i >= 0 {
			if clause == "" {
				clause = p.categories[i].ISO19944
			}
			if qualifier == "" {
				qualifier = p.categories[i].Qualifier
			}
		}
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return clause, qualifier
		}
		key = key[:dot]
	}
}
