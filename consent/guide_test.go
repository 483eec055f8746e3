package consent_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

// The code of the guide is that of the examples, which run; and so is what it says
// comes out.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/consent.md")
	require.NoError(t, err)
	examples, err := os.ReadFile("guide_example_test.go")
	require.NoError(t, err)
	plain := func(s string) string {
		var b strings.Builder
		for line := range strings.Lines(s) {
			line = strings.TrimSpace(line)
			b.WriteString(strings.TrimSpace(strings.TrimPrefix(line, "//")) + "\n")
		}
		return b.String()
	}
	code := plain(string(examples))
	found := 0
	for _, m := range regexp.MustCompile("(?s)```(go|text)\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		assert.Contains(t, code, plain(m[2]), "a block of the guide is not in the examples")
		found++
	}
	require.GreaterOrEqual(t, found, 10)
	// Every kind of obligation and every state is named.
	for _, name := range []string{
		string(consent.DeleteWithin), string(consent.Minimise), string(consent.Pseudonymise), string(consent.NoOnwardTransfer), string(consent.NotifySubject), string(consent.LogUse),
		string(consent.StoreIn), string(consent.StaffIn), string(consent.HonourIn), string(consent.PassSignal), string(consent.StopAndErase),
		"unset", "requested", "deferred", "denied", "granted", "renewed", "withdrawn", "objected", "expired", "stale", "invalidated", "terminated",
	} {
		assert.Contains(t, string(guide), "`"+name+"`")
	}
}
