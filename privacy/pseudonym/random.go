package pseudonym

import "io"

// RandomPattern is a regular expression (RE2 syntax, anchored) that every text made by
// [RandomToken] matches. No token matches it.
const RandomPattern = `^r1_[a-z2-7]{26}$`

const randomText = 26 // characters after r1_

// RandomToken returns r1_ and, in base 32, 16 bytes of random (use crypto/rand.Reader).
// No key and no value is in it: two calls for one person give two tokens, and nobody can
// find out that they belong together, unless a table is kept of whose they are. It is
// the code that the Safe Harbor method of HIPAA allows: one that is not derived from
// information about the person (45 CFR 164.514(c)), which a keyed pseudonym is.
//
// The class is that of a token of which no table is kept; with one, the token is
// linkable until the table is gone, and the table belongs to a store of its own. The
// chance that two of 10^12 tokens are equal is below 10^-14.
//
// An error wraps [ErrOption] and the error of the source.
func RandomToken(random io.Reader) (string, Class, error) {
	if random == nil {
		return "", Class{}, &fault{ErrOption, "no random source: pass crypto/rand.Reader", nil}
	}
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", Class{}, &fault{ErrOption, "random source gave no 16 bytes", err}
	}
	if b == [16]byte{} {
		return "", Class{}, &fault{ErrOption, "random source gave zeros only: pass crypto/rand.Reader", nil}
	}
	return string(appendBase32(append(make([]byte, 0, len("r1_")+randomText), "r1_"...), b[:])),
		Class{Linkability: Unlinkable, Loss: LossTotal}, nil
}
