package privacy

// Revise is the same policy under another version, as a compiler would have made it.
func Revise(b *Bundle, version uint64) (*Bundle, error) {
	changed := *b.b
	changed.Version = version
	data, err := changed.Encode()
	if err != nil {
		return nil, err
	}
	return ReadBundle(data)
}

// Unopenable is a whole bundle of a policy that cannot be put together.
func Unopenable(b *Bundle, version uint64) (*Bundle, error) {
	changed := *b.b
	changed.Retention = append(changed.Retention[:0:0], changed.Retention...)
	changed.Retention[0].Period = "no period"
	return Revise(&Bundle{b: &changed}, version)
}
