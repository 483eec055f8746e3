package detect

// Email reports whether s is a mailbox as people write it (RFC 5321, 4.1.2, without
// quoted local parts): a local part of at most 64 bytes without empty pieces, an @,
// and a domain that can be registered and does not begin like a version number, as
// that of a package does: @v1.2.3. All in all 254 bytes.
func Email(s string) bool {
	if len(s) > 254 {
		return false
	}
	at := -1
	for i := range len(s) {
		switch s[i] {
		case '@':
			if at >= 0 {
				return false
			}
			at = i
		case '.':
			if i == 0 || s[i-1] == '.' || i+1 < len(s) && s[i+1] == '@' {
				return false
			}
		}
	}
	if at < 1 || at > 64 {
		return false
	}
	domain := s[at+1:]
	i := 0
	if len(domain) > 0 && domain[0]|0x20 == 'v' {
		i = 1
	}
	from := i
	for i < len(domain) && digit(domain[i]) {
		i++
	}
	if i > from && i+1 < len(domain) && domain[i] == '.' && digit(domain[i+1]) {
		return false
	}
	return Registered(domain)
}
