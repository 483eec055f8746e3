package beside

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/privetdev/privet/classify/detect"
)

// listed are all rules of package publicsuffix, those of private owners too.
func listed(t *testing.T) (rules []string) {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "golang.org/x/net/publicsuffix").Output()
	require.NoError(t, err)
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "table_test.go"), nil, 0)
	require.NoError(t, err)
	rule := file.Scope.Lookup("rules")
	require.NotNil(t, rule)
	ast.Inspect(rule.Decl.(*ast.ValueSpec), func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			rule, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			rules = append(rules, rule)
		}
		return true
	})
	require.Greater(t, len(rules), 9000)
	return rules
}

// registrySuffix is the suffix of a name that a registry keeps: one of a private owner
// lies below such a one.
func registrySuffix(name string) string {
	suffix, registry := publicsuffix.PublicSuffix(name)
	for !registry && strings.Contains(suffix, ".") {
		_, above, _ := strings.Cut(suffix, ".")
		suffix, registry = publicsuffix.PublicSuffix(above)
	}
	return suffix
}

// The one kind of difference is wanted: a name of the list's private section is
// registered, by its owner, and people have mailboxes right there. Apart from that every
// rule, what lies above and below it, and names of labels put together by chance are
// the same, in Punycode, as people read them, and in upper case.
func TestRegistered(t *testing.T) {
	rules := listed(t)
	r := rand.New(rand.NewPCG(3, 4))
	asked, registered, private := 0, 0, map[string]bool{}
	ask := func(name string) {
		if !detect.Domain(name) {
			assert.False(t, detect.Registered(name), name)
			return
		}
		want := len(registrySuffix(name)) < len(name)
		spellings := []string{name, strings.ToUpper(name)}
		if read, err := idna.ToUnicode(name); err == nil && read != name && detect.Domain(read) {
			spellings = append(spellings, read, strings.ToUpper(read))
		}
		for _, s := range spellings {
			asked++
			assert.Equal(t, want, detect.Registered(s), "%s, which is %s", s, name)
		}
		if want {
			registered++
		}
		if suffix, _ := publicsuffix.PublicSuffix(name); want && suffix == name {
			private[name] = true
		}
	}
	word := func() string {
		b := make([]byte, 1+r.IntN(12))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[r.IntN(36)]
		}
		return string(b)
	}
	var labels []string
	for _, rule := range rules {
		labels = append(labels, strings.Split(strings.TrimPrefix(strings.TrimPrefix(rule, "!"), "*."), ".")...)
	}
	label := func() string {
		if r.IntN(2) == 0 {
			return labels[r.IntN(len(labels))]
		}
		return word()
	}
	for _, rule := range rules {
		name := strings.TrimPrefix(strings.TrimPrefix(rule, "!"), "*.")
		ask(name)
		ask(word() + "." + name)
		ask(word() + "." + word() + "." + name)
		ask(label() + "." + label() + "." + name)
		ask(name[1:])
		if first, above, ok := strings.Cut(name, "."); ok {
			ask(above)
			ask(word() + "." + above)
			ask(label() + "." + above)
			ask(first + "x." + above)
		}
	}
	for range 100_000 {
		name := labels[r.IntN(len(labels))]
		for range 1 + r.IntN(4) {
			name = label() + "." + name
		}
		ask(name)
	}
	assert.Contains(t, private, "github.io")
	t.Logf("%d rules, %d names, %d of them registered; %d differ: names of private owners", len(rules), asked, registered, len(private))
}

func BenchmarkRegistered(b *testing.B) {
	for _, bb := range []struct{ name, s string }{
		{"short", "example.com"},
		{"long", "www.section.example.co.uk"},
		{"suffix", "co.uk"},
	} {
		b.Run(bb.name+"/privet", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				detect.Registered(bb.s)
			}
		})
		b.Run(bb.name+"/publicsuffix", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				publicsuffix.PublicSuffix(bb.s)
			}
		})
	}
}
