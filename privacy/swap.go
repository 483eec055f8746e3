package privacy

// Swap puts another policy in force, with the options that the guard was opened
// with: the same pinned keys, secrets, ledger and clock. Calls that are under way end
// with the policy that they began with, calls that begin after Swap has returned are
// answered by the new one, and none sees both. [Result.Policy] says which it was.
//
// The bundle must be of the same policy, by name. One of a lower version is refused
// with [ErrDowngrade]: to go back, compile the old text with a higher version. The
// same version with the same fingerprint is the policy that is in force, signed anew
// perhaps, and nothing happens; with another fingerprint it is refused with
// [ErrSameVersion], because name and version would no longer say what was decided
// by. On any error the guard goes on as before.
//
// Swaps are done one after the other. What a swap costs, reading and putting the
// policy together, is paid by its caller; other calls do not wait.
func (g *Guard) Swap(b *Bundle) error {
	if b == nil || b.b == nil {
		return errNoBundle
	}
	g.swap.Lock()
	defer g.swap.Unlock()
	// A signature comes first: what is not believed is not looked at.
	if err := g.accepts(b); err != nil {
		return err
	}
	old, offered := g.current.Load().info, b.Info()
	if err := b.follows(old); err != nil {
		return err
	}
	switch {
	case offered.Fingerprint == old.Fingerprint:
		return nil
	case offered.Version == old.Version:
		return b.refused(ErrSameVersion, old)
	}
	p, err := g.edition(b)
	if err != nil {
		return err
	}
	g.current.Store(p)
	return nil
}
