// Package leak prints values in every way that a program may print them, and knows
// what bytes look like when they got out. It is for tests of the promise that nothing
// leaks: put a value or key in, print all that comes out, and look for it.
package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// verbs are all letters as verbs, those that package fmt does not know as well, with
// flags, widths and precisions.
var verbs = func() (all []string) {
	for _, flags := range []string{"", "+", "#", "-40", "0", " ", "+#", "60.50"} {
		for c := 'A'; c <= 'z'; c++ {
			if c != '[' { // begins an index
				all = append(all, "%"+flags+string(c)+"\n")
			}
		}
	}
	return append(all, "%[1]*[1]d\n")
}()

// Print returns what fmt, encoding/json, encoding/gob and log/slog make of the values,
// one after the other.
func Print(values ...any) string {
	var out bytes.Buffer
	for _, x := range values {
		for _, verb := range verbs {
			fmt.Fprintf(&out, verb, x)
		}
		fmt.Fprintln(&out, x)
		text, err := json.Marshal(x)
		fmt.Fprintf(&out, "%s %v\n", text, err)
		var b bytes.Buffer
		err = gob.NewEncoder(&b).Encode(x)
		fmt.Fprintf(&out, "%v %s\n", err, b.Bytes())
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).With("with", x).Info("m", "x", x, slog.Group("g", "x", x))
		}
	}
	return out.String()
}

// Forms returns the ways in which secret bytes, 12 or more, may turn up in text: as they
// are, in hexadecimal, base64, octal, binary, and as a list of numbers. The beginning of
// each is enough.
func Forms(secret []byte) []string {
	head := secret[:6]
	var dec, gosyntax []string
	for _, c := range head {
		dec = append(dec, strconv.Itoa(int(c)))
		gosyntax = append(gosyntax, fmt.Sprintf("%#x", c))
	}
	return []string{
		string(head), hex.EncodeToString(head), strings.ToUpper(hex.EncodeToString(head)), fmt.Sprintf("% x", head), fmt.Sprintf("% X", head),
		base64.StdEncoding.EncodeToString(secret)[:8], base64.URLEncoding.EncodeToString(secret)[:8],
		strings.Join(dec, " "), strings.Join(dec, ","), strings.Join(gosyntax, ", "),
		fmt.Sprintf("%o", head)[1:12], fmt.Sprintf("%b", head)[1:40],
	}
}

// Find returns the number of the first of the secrets of which something is in text,
// from 1, and 0 if there is nothing.
func Find(text string, secrets ...[]byte) int {
	for i, s := range secrets {
		for _, form := range Forms(s) {
			if strings.Contains(text, form) {
				return i + 1
			}
		}
	}
	return 0
}
