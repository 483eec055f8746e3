package scan

// AgreeFrozen compares what frozen tables say of a text with what the patterns say.
func AgreeFrozen(u *FrozenUnion, text string) (matches int, err error) { return agreeFrozen(u, text) }

// A NeedView tells the needs that are met at places that move on.
type NeedView struct{ v view }

// Met is what is met at pos, as bits.
func (n *NeedView) Met(text string, pos int) uint8 {
	if pos >= n.v.same {
		n.v.look(text, pos)
	}
	return n.v.needs
}
