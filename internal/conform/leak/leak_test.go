package leak

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What looks for leaks must be able to see one.
func TestLeaksAreSeen(t *testing.T) {
	secret, other := []byte("KEYMATERIAL-zyxwvutsrqponmlkjihg"), []byte("SECRETBYTES-0987654321abcdefghij")
	type nested struct{ hidden []byte }
	for name, text := range map[string]string{
		"%s": string(secret), "%x": fmt.Sprintf("%x", secret), "%X": fmt.Sprintf("%X", secret), "% x": fmt.Sprintf("% x", secret),
		"% X": fmt.Sprintf("% X", secret), "%v": fmt.Sprintf("%v", secret), "%#v": fmt.Sprintf("%#v", secret), "%o": fmt.Sprintf("%o", secret),
		"%b": fmt.Sprintf("%b", secret), "unexported": fmt.Sprintf("%v", nested{secret}), "base64": marshal(secret), "numbers": marshal([32]byte(secret)),
	} {
		assert.Equal(t, 2, Find(text, other, secret), name)
		assert.Zero(t, Find(text, other), name)
	}
	for _, x := range []any{secret, string(secret), [32]byte(secret), nested{secret}, &nested{secret}, map[string]any{"x": nested{secret}}, struct{ E []byte }{secret}} {
		text := Print(x)
		assert.Equal(t, 1, Find(text, secret), "%T", x)
		assert.Zero(t, Find(text, other), "%T", x)
	}
	assert.Contains(t, Print(1), `"g":{"x":1}`, "logs in JSON")
	assert.Contains(t, Print(1), "g.x=1", "logs in text")
	assert.Contains(t, Print(1), "%!y(int=1)", "verbs that nobody knows")
	assert.NotContains(t, Print(1), "%!(EXTRA", "each value is asked for")
	assert.NotContains(t, Print(1), "BADINDEX")
}

func marshal(x any) string {
	text, err := json.Marshal(x)
	return string(text) + fmt.Sprint(err)
}
