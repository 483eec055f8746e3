package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A node is a package as `go list -deps -json` shows it.
type node struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string
	Export     string // file of export data, with -export
	Module     *struct {
		Path string
		Main bool
	}
}

func (n node) ours() bool { return n.Module != nil && n.Module.Main }

// A graph is every package that the module needs on one platform.
type graph map[string]node

// A set says which packages are meant; paths of this module are relative to its
// root ("privacy", "internal/expr"), others are whole ("net/http").
type set func(path string) bool

// below matches the named packages and all that lie under them.
func below(roots ...string) set {
	return func(path string) bool {
		return slices.ContainsFunc(roots, func(root string) bool {
			return path == root || strings.HasPrefix(path, root+"/")
		})
	}
}

// exactly matches the named packages only.
func exactly(paths ...string) set {
	return func(path string) bool { return slices.Contains(paths, path) }
}

func (s set) except(t set) set { return func(path string) bool { return s(path) && !t(path) } }

func anyOf(sets ...set) set {
	return func(path string) bool {
		return slices.ContainsFunc(sets, func(s set) bool { return s(path) })
	}
}

func everything(string) bool { return true }

// A rule forbids arrows: no package in from may import (or, with reach, come to
// import over any number of steps) a package in to.
type rule struct {
	name   string
	from   set
	to     set
	reach  bool
	reason string
}

// The groups that the rules speak of.
var (
	classifyRoom  = below("classify")
	consentRoom   = below("consent")
	retentionRoom = below("retention")
	pseudonymRoom = below("privacy/pseudonym")
	// tools are programs of the repository; nobody imports them.
	tools = below("internal/cmd", "internal/lint", "internal/consentcmd", "cmd", "examples")
	// authors may hold the policy compiler.
	authors = anyOf(tools, below("classify/celrules", "privacy/policy", "internal/conform", "wasm/author"))
	private = below("internal")
	public  = below("privacy", "classify", "consent", "retention", "wasm", "examples", "cmd")

	celFamily  = below("github.com/google/cel-go", "cel.dev", "cel.dev/cel-go", "google.golang.org/protobuf", "google.golang.org/genproto", "github.com/antlr4-go/antlr", "github.com/antlr/antlr4")
	yamlFamily = below("go.yaml.in", "gopkg.in/yaml.v3", "gopkg.in/yaml.v2", "sigs.k8s.io/yaml")
	wazero     = below("github.com/tetratelabs/wazero")
)

// hostRules hold for the module as it is built on a usual system.
var hostRules = []rule{
	{name: "classify knows no sibling", from: classifyRoom, to: anyOf(consentRoom, retentionRoom, pseudonymRoom, exactly("privacy"), below("privacy/policy")), reach: true,
		reason: "what a field is does not depend on what may be done with it"},
	{name: "consent knows no sibling", from: consentRoom, to: anyOf(classifyRoom, retentionRoom, below("privacy")), reach: true,
		reason: "a decision takes categories as strings, so that it can be asked without a classifier"},
	{name: "retention knows no sibling", from: retentionRoom, to: anyOf(classifyRoom, consentRoom, below("privacy")), reach: true,
		reason: "deadlines follow from categories and anchors alone"},
	{name: "pseudonym knows no sibling", from: pseudonymRoom, to: anyOf(classifyRoom, consentRoom, retentionRoom, exactly("privacy"), below("privacy/policy")), reach: true,
		reason: "a pseudonym is made from a scope and a value, by users who have no policy"},

	{name: "only celrules imports cel-go", from: set(everything).except(exactly("classify/celrules")), to: celFamily,
		reason: "cel-go's module path has moved; with one importer, moving is a one-line change"},
	{name: "only authors reach cel-go", from: set(everything).except(authors), to: celFamily, reach: true,
		reason: "users of the run time inherit no cel-go, protobuf or antlr, and the WASM guest stays small"},
	{name: "only internal/source imports yaml", from: set(everything).except(exactly("internal/source")), to: yamlFamily,
		reason: "one strict reader, so that an unknown key is an error everywhere"},
	{name: "only authors reach yaml", from: set(everything).except(anyOf(authors, exactly("internal/source"))), to: yamlFamily, reach: true,
		reason: "a bundle is read without a YAML parser"},

	{name: "consent imports the standard library and internal only", from: consentRoom, to: set(outside).except(anyOf(private, consentRoom)),
		reason: "the decision is a pure function that anyone can audit"},
	{name: "retention imports the standard library and internal only", from: retentionRoom, to: set(outside).except(anyOf(private, retentionRoom)),
		reason: "calendars need nothing else"},
	{name: "pseudonym imports the standard library and internal only", from: pseudonymRoom, to: set(outside).except(anyOf(private, pseudonymRoom)),
		reason: "cryptography comes from the standard library"},

	{name: "secretfile builds on pseudonym alone", from: exactly("privacy/pseudonym/secretfile"), to: set(outside).except(exactly("privacy/pseudonym")),
		reason: "who audits how secrets are kept reads two packages and the standard library"},
	{name: "no library imports secretfile", from: set(everything).except(anyOf(exactly("privacy/pseudonym/secretfile"), tools)), to: exactly("privacy/pseudonym/secretfile"), reach: true,
		reason: "a store is handed in as a SecretStore; files and locks come with this one only"},
	{name: "risk builds on pseudonym alone", from: exactly("privacy/risk"), to: set(outside).except(exactly("privacy/pseudonym")),
		reason: "checks of a table need no policy; of a pseudonym they need what a token and its linkability are"},
	{name: "no library imports risk", from: set(everything).except(anyOf(exactly("privacy/risk"), tools)), to: exactly("privacy/risk"), reach: true,
		reason: "tables are for releases: no event is decided with one, and the WASM guest stays small"},

	{name: "slogprivacy imports the standard library and ours only", from: exactly("privacy/slogprivacy"), to: thirdParty,
		reason: "a log handler comes with nothing that the program does not have"},
	{name: "no library imports slogprivacy", from: set(everything).except(anyOf(exactly("privacy/slogprivacy"), tools)), to: exactly("privacy/slogprivacy"), reach: true,
		reason: "who writes a log is the program's affair, and encoding/json and reflection come with the handler"},

	{name: "internal imports no public package", from: private.except(below("internal/conform", "internal/cmd", "internal/lint", "internal/consentcmd")), to: public, reach: true,
		reason: "arrows point down; what both need lies in internal"},
	{name: "nobody imports a tool", from: everything, to: below("internal/cmd", "internal/lint", "cmd", "examples"),
		reason: "programs stay thin: what they know belongs in a library"},
	{name: "only commands share commands", from: set(everything).except(below("cmd/privet")), to: exactly("internal/consentcmd"),
		reason: "the commands of consent are those of two programs, and of nothing else"},
	{name: "conform is for tests", from: set(everything).except(anyOf(below("internal/conform"), tools)), to: below("internal/conform"),
		reason: "shared cases do not ship inside the product"},

	{name: "only wasm/host reaches wazero", from: set(everything).except(anyOf(below("wasm/host", "internal/conform"), tools)), to: wazero, reach: true,
		reason: "a user of the native packages inherits no WASM runtime"},
	{name: "only the command has flags and bars", from: set(everything).except(below("cmd/privet", "internal/consentcmd")), to: below("github.com/spf13", "github.com/schollz", "golang.org/x/term"), reach: true,
		reason: "a library never talks to a terminal"},
	{name: "no test library in the product", from: set(everything).except(exactly("consent/ledger/ledgertest")), to: below("github.com/stretchr/testify", "pgregory.net/rapid", "testing"), reach: true,
		reason: "test code does not ship"},
	{name: "no network in libraries", from: set(everything).except(anyOf(tools, authors, below("wasm/host"))), to: exactly("net/http", "os/exec"), reach: true,
		reason: "no library package talks to a network or starts a program"},
	{name: "rooms import known modules only", from: everything, to: set(thirdParty).except(anyOf(celFamily, yamlFamily, wazero, below("github.com/cespare/xxhash", "github.com/spf13", "github.com/schollz", "golang.org/x/term"))),
		reason: "a new dependency is a decision: add it here with its own rule, and say why in docs/rationale.md"},
}

// guestRules hold for the module as it is built for wasip1.
var guestRules = []rule{
	{name: "the guest has no compiler inside", from: exactly("wasm"), to: anyOf(celFamily, yamlFamily, below("privacy/policy", "classify/celrules")), reach: true,
		reason: "with cel-go the module is four times the size and takes 0.4 s to start"},
	{name: "the guest has no reflection-driven encoder", from: exactly("wasm"), to: exactly("encoding/json", "encoding/json/v2", "encoding/gob", "text/template", "html/template"), reach: true,
		reason: "they keep every method of every type alive and spend the size budget"},
	{name: "the guest has no network and no log", from: exactly("wasm"), to: exactly("net", "net/http", "log", "log/slog"), reach: true,
		reason: "a host decides what is written where"},
}

// outside matches everything but the standard library.
func outside(path string) bool { return thirdParty(path) || public(path) || private(path) }

// thirdParty matches packages of other modules: the standard library's paths have
// no dot in their first element, and those of this module are relative to its root.
func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

const module = "github.com/privetdev/privet"

// short is the path by which rules name a package.
func short(path string) string {
	if rest, ok := strings.CutPrefix(path, module+"/"); ok {
		return rest
	}
	return path
}

// violations checks a graph against rules. Each is one line that names the rule,
// the way from the package to what it may not reach, and the reason. A rule that
// speaks of no package at all is a violation too: a room was renamed and its
// rule would hold for ever, for nothing.
func violations(g graph, rules []rule) []string {
	var found []string
	paths := make([]string, 0, len(g))
	for path, n := range g {
		if n.ours() {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, r := range rules {
		held := false
		for _, path := range paths {
			if !r.from(short(path)) {
				continue
			}
			held = true
			if way := wayTo(g, path, r.to, r.reach); way != nil {
				found = append(found, fmt.Sprintf("%s: %s (%s)", r.name, strings.Join(way, " -> "), r.reason))
			}
		}
		if !held {
			found = append(found, r.name+": holds for no package; was a room renamed?")
		}
	}
	return found
}

// wayTo is a shortest way from a package to one in to, over one step or, with
// reach, any number; nil if there is none.
func wayTo(g graph, from string, to set, reach bool) []string {
	type step struct {
		path string
		back *step
	}
	seen := map[string]bool{from: true}
	queue := []*step{{path: from}}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range g[at.path].Imports {
			if seen[next] {
				continue
			}
			seen[next] = true
			s := &step{next, at}
			if to(short(next)) {
				var way []string
				for ; s != nil; s = s.back {
					way = append(way, short(s.path))
				}
				slices.Reverse(way)
				return way
			}
			if reach {
				queue = append(queue, s)
			}
		}
	}
	return nil
}

// root is the folder of go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, parent, dir, "no go.mod above the test")
		dir = parent
	}
}

// load asks the go command for the module's packages on one platform.
func load(t testing.TB, environment []string, arguments ...string) graph {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Name,Standard,Imports,Module,Export"}, arguments...)...)
	command.Dir = root(t)
	command.Env = append(os.Environ(), environment...)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	require.NoError(t, err, problems.String())
	g, ours := graph{}, 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var n node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		g[n.ImportPath] = n
		if n.ours() {
			ours++
		}
	}
	require.NotZero(t, ours, "go list named no package of this module: the rules would hold for nothing")
	return g
}

func TestImportLattice(t *testing.T) {
	for _, found := range violations(load(t, nil, "./..."), hostRules) {
		t.Error(found)
	}
}

func TestImportLatticeOfGuest(t *testing.T) {
	g := load(t, []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}, "./...")
	for _, found := range violations(g, guestRules) {
		t.Error(found)
	}
	// On wasip1 the arrows among the rooms must hold as well: files with build
	// tags may import what the host never sees.
	for _, found := range violations(g, hostRules) {
		t.Error(found)
	}
}

// fake builds a graph from lines "from -> to, to"; names without a dot in their
// first element that begin like a room are of this module.
func fake(lines ...string) graph {
	g := graph{}
	add := func(path string) string {
		full, ours := path, false
		if public(path) || private(path) {
			full, ours = module+"/"+path, true
		}
		n := g[full]
		n.ImportPath = full
		if ours {
			n.Module = &struct {
				Path string
				Main bool
			}{module, true}
		}
		g[full] = n
		return full
	}
	for _, line := range lines {
		from, to, _ := strings.Cut(line, " -> ")
		full := add(from)
		for next := range strings.SplitSeq(to, ", ") {
			if next == "" {
				continue
			}
			n := add(next)
			at := g[full]
			at.Imports = append(at.Imports, n)
			g[full] = at
		}
	}
	return g
}

// lawful is a small module that breaks no rule; each planted case adds one arrow.
var lawful = []string{
	"privacy -> classify, consent, retention, privacy/pseudonym, internal/bundle",
	"privacy/policy -> privacy, classify/celrules, internal/source",
	"privacy/pseudonym -> crypto/hmac, internal/bundle",
	"privacy/pseudonym/secretfile -> privacy/pseudonym, crypto/aes, os",
	"privacy/risk -> privacy/pseudonym, encoding/csv",
	"privacy/slogprivacy -> privacy, classify, privacy/pseudonym, internal/jsondoc, log/slog, encoding/json, net/url",
	"classify -> internal/bundle, github.com/cespare/xxhash/v2",
	"classify/celrules -> github.com/google/cel-go/cel, internal/source, internal/bundle",
	"github.com/google/cel-go/cel -> google.golang.org/protobuf/proto",
	"consent -> time, internal/bundle",
	"consent/ledger -> consent, crypto/sha256",
	"retention -> time",
	"internal/source -> go.yaml.in/yaml/v3",
	"internal/bundle -> strings",
	"internal/conform -> privacy, privacy/policy",
	"internal/cmd/gen -> privacy/policy, encoding/json",
	"wasm -> privacy",
	"wasm/host -> github.com/tetratelabs/wazero",
	"cmd/privet -> privacy/policy, privacy/risk, privacy/pseudonym/secretfile, internal/consentcmd, github.com/spf13/cobra, encoding/json, net/http",
	"internal/consentcmd -> privacy, consent/ledger, github.com/spf13/cobra, net/http",
	"examples/quickstart -> privacy, privacy/policy",
}

func TestPlantedArrowsAreFound(t *testing.T) {
	require.Empty(t, violations(fake(lawful...), hostRules), "the lawful module breaks a rule: the planted cases would prove nothing")
	require.Empty(t, violations(fake(lawful...), guestRules))
	tests := []struct {
		arrow  string
		rule   string
		reason string
	}{
		{"classify -> consent", "classify knows no sibling", "a direct arrow between siblings"},
		{"internal/bundle -> retention", "classify knows no sibling", "an arrow between siblings by way of internal"},
		{"consent/ledger -> privacy/pseudonym", "consent knows no sibling", "a room below a sibling counts as the sibling"},
		{"consent -> privacy", "consent knows no sibling", "up to the front door and down again"},
		{"retention -> consent", "retention knows no sibling", "the third sibling"},
		{"privacy/pseudonym -> classify", "pseudonym knows no sibling", "the fourth sibling"},
		{"privacy/policy -> github.com/google/cel-go/common", "only celrules imports cel-go", "policy reaches cel-go by way of celrules only"},
		{"cmd/privet -> cel.dev/cel-go/cel", "only celrules imports cel-go", "the new name of the same module, even in a program"},
		{"privacy -> classify/celrules", "only authors reach cel-go", "run time reaching author time over one step"},
		{"classify -> google.golang.org/protobuf/proto", "only authors reach cel-go", "protobuf is as heavy as cel-go"},
		{"wasm -> privacy/policy", "only authors reach cel-go", "the guest over two steps"},
		{"privacy/policy -> go.yaml.in/yaml/v3", "only internal/source imports yaml", "a second YAML reader would be less strict"},
		{"internal/bundle -> internal/source", "only authors reach yaml", "a bundle must be readable without YAML"},
		{"consent -> github.com/cespare/xxhash/v2", "consent imports the standard library and internal only", "not even a small module"},
		{"retention -> github.com/cespare/xxhash/v2", "retention imports the standard library and internal only", "not even a small module"},
		{"privacy/pseudonym -> golang.org/x/crypto/argon2", "pseudonym imports the standard library and internal only", "cryptography is the standard library's"},
		{"privacy/pseudonym/secretfile -> filippo.io/age", "secretfile builds on pseudonym alone", "another format brings its library"},
		{"privacy/pseudonym/secretfile -> internal/bundle", "secretfile builds on pseudonym alone", "not even what pseudonym may import"},
		{"privacy -> privacy/pseudonym/secretfile", "no library imports secretfile", "a guard that opens files"},
		{"wasm -> privacy/pseudonym/secretfile", "no library imports secretfile", "files in the guest"},
		{"privacy/risk -> privacy", "risk builds on pseudonym alone", "a check that needs a policy"},
		{"privacy/risk -> github.com/cespare/xxhash/v2", "risk builds on pseudonym alone", "classes are made without a hash"},
		{"privacy -> privacy/risk", "no library imports risk", "a table in every program that decides about events"},
		{"privacy/slogprivacy -> go.uber.org/zap", "slogprivacy imports the standard library and ours only", "another logger"},
		{"privacy -> privacy/slogprivacy", "no library imports slogprivacy", "a guard that writes logs"},
		{"internal/bundle -> classify", "internal imports no public package", "an arrow that points up"},
		{"privacy -> cmd/privet", "nobody imports a tool", "a library that needs a program"},
		{"privacy -> internal/conform", "conform is for tests", "cases inside the product"},
		{"internal/cmd/gen -> internal/consentcmd", "only commands share commands", "a tool that records what people said"},
		{"privacy -> wasm/host", "only wasm/host reaches wazero", "a WASM runtime for native users"},
		{"privacy/policy -> github.com/schollz/progressbar/v3", "only the command has flags and bars", "a library that draws a bar"},
		{"classify -> github.com/stretchr/testify/require", "no test library in the product", "test code in the product"},
		{"retention -> net/http", "no network in libraries", "a library that talks to the network"},
		{"privacy -> example.org/new/module", "rooms import known modules only", "a dependency that nobody decided on"},
		{"wasm -> classify/celrules", "the guest has no compiler inside", "cel-go in the guest"},
		{"retention -> encoding/json", "the guest has no reflection-driven encoder", "any room of the run time drags it into the guest"},
		{"consent -> text/template", "the guest has no reflection-driven encoder", "templates call methods by name"},
		{"internal/bundle -> log/slog", "the guest has no network and no log", "slog brings encoding/json with it"},
	}
	planted := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.rule+"/"+tt.arrow, func(t *testing.T) {
			g := fake(append(slices.Clone(lawful), tt.arrow)...)
			all := append(violations(g, hostRules), violations(g, guestRules)...)
			assert.True(t, slices.ContainsFunc(all, func(v string) bool { return strings.HasPrefix(v, tt.rule+": ") }),
				"%s: the rule %q let it pass; found %q", tt.reason, tt.rule, all)
		})
		planted[tt.rule] = true
	}
	for _, r := range slices.Concat(hostRules, guestRules) {
		assert.NotEmpty(t, r.reason, "rule %q gives no reason", r.name)
		assert.True(t, planted[r.name], "no planted arrow shows that the rule %q can fail", r.name)
	}
}

func TestRuleForNoPackageIsFound(t *testing.T) {
	renamed := slices.DeleteFunc(slices.Clone(lawful), func(line string) bool { return strings.HasPrefix(line, "retention") })
	renamed[0] = "privacy -> classify, consent"
	found := violations(fake(renamed...), hostRules)
	assert.True(t, slices.ContainsFunc(found, func(v string) bool { return strings.Contains(v, "holds for no package") }), "a room that is gone leaves its rule empty; found %q", found)
}
