// Package bytes is what the subset has of the standard library's bytes.
package bytes

// Equal is [bytes.Equal].
func Equal(a, b []byte) bool { return string(a) == string(b) }

// IndexByte is [bytes.IndexByte].
func IndexByte(b []byte, c byte) int {
	for i := range b {
		if b[i] == c {
			return i
		}
	}
	return -1
}

// LastIndexByte is [bytes.LastIndexByte].
func LastIndexByte(b []byte, c byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == c {
			return i
		}
	}
	return -1
}
