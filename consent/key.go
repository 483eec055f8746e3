package consent

import "strings"

// maxText bounds every key, id and name, in bytes.
const maxText = 256

// validKey reports whether s is a dotted key: segments of letters, digits, '_', '-'.
func validKey(s string) bool {
	if s == "" || len(s) > maxText {
		return false
	}
	start := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			start = false
		case c == '.' && !start:
			start = true
		default:
			return false
		}
	}
	return !start
}

// validID reports whether s can name a record or a rule: what a key may hold, and
// ':' and '/'. The alphabet is narrow because ids are printed.
func validID(s string) bool {
	if s == "" || len(s) > maxText {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.', c == ':', c == '/':
		default:
			return false
		}
	}
	return true
}

// under reports whether key is ancestor or lies below it.
func under(key, ancestor string) bool {
	rest, ok := strings.CutPrefix(key, ancestor)
	return ok && (rest == "" || rest[0] == '.')
}

// parent returns the key above, "" at the top.
func parent(key string) string {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return ""
	}
	return key[:i]
}

// admits reports whether a declared set has key or an ancestor of it. The empty
// set declares nothing and admits all.
func admits(set []string, key string) bool {
	if len(set) == 0 {
		return true
	}
	for _, s := range set {
		if under(key, s) {
			return true
		}
	}
	return false
}
