package detect

// EIP55 reports whether s is an Ethereum address, 0x and 40 hexadecimal digits, whose
// capitals are those that EIP-55 asks for: a letter is a capital where the same place in
// the Keccak-256 of the digits in small letters is 8 or more. An address in letters of one
// case says nothing about its sum; it holds only if chance made it so. One without
// letters has nothing to check and is refused.
// https://github.com/ethereum/ercs/blob/master/ERCS/erc-55.md
func EIP55(s string) bool {
	if len(s) != 42 || s[0] != '0' || s[1] != 'x' {
		return false
	}
	var lower [40]byte
	letters := false
	for i := range lower {
		c := s[i+2]
		switch {
		case digit(c):
		case 'a' <= c && c <= 'f':
			letters = true
		case 'A' <= c && c <= 'F':
			letters = true
			c += 'a' - 'A'
		default:
			return false
		}
		lower[i] = c
	}
	if !letters {
		return false
	}
	sum := keccak256(lower[:], legacyKeccak)
	for i, c := range lower {
		high := sum[i/2]>>(4-i%2*4)&8 != 0
		if !digit(c) && high != (s[i+2] != c) {
			return false
		}
	}
	return true
}
