package expr

// EvalBoolAt evaluates one node of type bool that lies outside of every macro body,
// with the whole budget.
func (f *Frame) EvalBoolAt(p *Program, node int) (bool, Code) {
	if node < 0 || node >= len(p.Nodes) || p.Nodes[node].Type != TBool || !f.begin(p) {
		return false, BadFrame
	}
	b, c := f.boolean(uint16(node))
	c = f.end(c)
	return b && c == OK, c
}
