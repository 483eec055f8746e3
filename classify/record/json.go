package record

import (
	"errors"

	"github.com/privetdev/privet/internal/jsondoc"
)

// JSON classifies the values of a JSON document: texts, numbers, true and false.
// null says nothing but its name. The error is [ErrLarge], [ErrDepth], or a
// [*JSONError].
func (r *Reader) JSON(doc []byte) (*Report, error) {
	if len(doc) > MaxDocument {
		return nil, ErrLarge
	}
	var d jsondoc.Doc
	if err := d.Parse(string(doc), jsondoc.Limits{Depth: MaxDepth, Nodes: 2 * MaxFields}); err != nil {
		var fault *jsondoc.Error
		if errors.As(err, &fault) {
			switch fault.Code {
			case jsondoc.TooDeep:
				return nil, ErrDepth
			case jsondoc.TooMany:
				return nil, ErrLarge
			}
			return nil, &JSONError{fault.Offset, fault.Code.String()}
		}
		return nil, ErrJSON
	}
	return r.walk(func(w *walker) { w.node(&d, 0) })
}

func (w *walker) node(d *jsondoc.Doc, i int32) {
	n := &d.Nodes[i]
	switch n.Kind {
	case jsondoc.Object:
		for _, c := range d.Children(i) {
			if w.enter(step{key: d.Nodes[c].Key, index: -1}) {
				w.node(d, c)
				w.leave()
			}
		}
	case jsondoc.Array:
		for item, c := range d.Children(i) {
			if w.enter(step{index: item}) {
				w.node(d, c)
				w.leave()
			}
		}
	default:
		text := n.Text
		if n.Kind == jsondoc.Null {
			text = ""
		}
		w.leaf(text, "", nil)
	}
}
