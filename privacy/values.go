package privacy

import "github.com/privetdev/privet/internal/jsondoc"

// Number is a number of a result that came from JSON: its exact text. It has the
// methods of encoding/json.Number.
type Number string

// String is the number as it was written.
func (n Number) String() string { return string(n) }

// MarshalJSON writes the number as it was written.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// value is the permitted copy below a node as Go values: what was kept is the
// value that the caller gave.
func (r *run) value(node int32) any {
	next := 0
	v, _ := r.goValue(node, &next)
	return v
}

func (r *run) goValue(node int32, next *int) (v any, ok bool) {
	n := &r.doc.Nodes[node]
	if r.doc.Len(node) == 0 {
		var l leaf
		if r.leaves != nil && node != r.fields {
			l = r.leaves[*next]
			*next++
		}
		return r.goScalar(node, &l), !l.gone
	}
	some := false
	if n.Kind == jsondoc.Object {
		out := make(map[string]any, r.doc.Len(node))
		for _, c := range r.doc.Children(node) {
			if v, ok := r.goValue(c, next); ok {
				out[r.doc.Nodes[c].Key] = v
				some = true
			}
		}
		return out, some
	}
	out := make([]any, 0, r.doc.Len(node))
	for c := node + 1; c < n.End; c = r.doc.Nodes[c].End {
		if v, ok := r.goValue(c, next); ok {
			out = append(out, v)
			some = true
		}
	}
	return out, some
}

func (r *run) goScalar(node int32, l *leaf) any {
	n := &r.doc.Nodes[node]
	switch {
	case l.changed && l.number:
		return Number(l.text)
	case l.changed:
		return l.text
	case len(r.orig) > int(node):
		return r.orig[node]
	}
	switch n.Kind {
	case jsondoc.Bool:
		return n.Text == "true"
	case jsondoc.Number:
		return Number(n.Text)
	case jsondoc.String:
		return n.Text
	case jsondoc.Array:
		return []any{}
	case jsondoc.Object:
		return map[string]any{}
	}
	return nil
}
