package jsondoc

// Reset empties the document for building it by hand with Open, Scalar, Close.
func (d *Doc) Reset() {
	d.Nodes, d.sorted, d.stack = d.Nodes[:0], d.sorted[:0], d.stack[:0]
	d.limits = Limits{defaultDepth, defaultNodes}
}

// Scalar adds a value below the innermost open array or object. It reports
// false when the document has too many values.
func (d *Doc) Scalar(key string, kind Kind, text string) bool {
	if !d.grow() {
		return false
	}
	d.Nodes = append(d.Nodes, Node{Kind: kind, Key: key, Text: text, End: int32(len(d.Nodes) + 1)})
	return true
}

// Open begins an array or object; each Open needs a Close. It reports false when
// the document is too deep or has too many values.
func (d *Doc) Open(key string, kind Kind) bool {
	if len(d.stack) >= d.limits.Depth || !d.grow() {
		return false
	}
	d.stack = append(d.stack, int32(len(d.Nodes)))
	d.Nodes = append(d.Nodes, Node{Kind: kind, Key: key})
	return true
}

func (d *Doc) grow() bool {
	if len(d.Nodes) >= d.limits.Nodes {
		return false
	}
	if len(d.stack) > 0 {
		d.Nodes[d.stack[len(d.stack)-1]].count++
	}
	return true
}

// Close ends the innermost open array or object. It reports false when an object
// has a key twice.
func (d *Doc) Close() bool { return d.close(d.stack[len(d.stack)-1]) == 0 }
