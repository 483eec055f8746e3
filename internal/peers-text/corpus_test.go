package peerstext

import (
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A corpus is a text of size.corpus.
type corpus struct {
	name string
	text func() string
}

var corpora = []corpus{{"prose", prose}, {"logs", logs}, {"dense", dense}}

// goTool is what the go command prints.
func goTool(args ...string) string {
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		panic("go " + strings.Join(args, " ") + ": " + err.Error())
	}
	return strings.TrimSpace(string(out))
}

var goroot = sync.OnceValue(func() string { return goTool("env", "GOROOT") })

// peerFolders are those of the peers in the module cache. Their sources are full of
// what they look for.
var peerFolders = []string{"gitleaks", "hoophq", "zricethezav"}

// modules are the folders of the modules that this test is made of, but the peers and
// this repository. go.sum says what is in them.
var modules = sync.OnceValue(func() []string {
	var out []string
	for dir := range strings.Lines(goTool("list", "-deps", "-test", "-f", "{{with .Module}}{{if not .Main}}{{if not .Replace}}{{.Dir}}{{end}}{{end}}{{end}}", ".")) {
		dir = strings.TrimSpace(dir)
		peer := slices.ContainsFunc(peerFolders, func(f string) bool { return strings.Contains(filepath.ToSlash(dir), "/"+f+"/") })
		if dir != "" && !peer && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	slices.Sort(out)
	return out
})

// paragraphs calls f for what a file says in words: the comments of Go code, and
// Markdown without its blocks of code.
func paragraphs(name, text string, f func(string)) {
	var words []string
	code := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasSuffix(name, ".go") {
			comment, ok := strings.CutPrefix(line, "// ")
			if !ok || strings.HasPrefix(comment, "\t") {
				comment = ""
			}
			line = strings.TrimSpace(comment)
		} else if strings.HasPrefix(line, "```") {
			code, line = !code, ""
		}
		if line != "" && !code {
			words = append(words, line)
		} else if len(words) > 0 {
			f(strings.Join(words, " "))
			words = words[:0]
		}
	}
	f(strings.Join(words, " "))
}

var (
	// Where a sentence ends and the next one begins.
	sentenceEnd = regexp.MustCompile(`[.!?:]["')]?\s+[A-Z"(\x60]`)
	// What names a person: mail addresses, handles, and who wrote or is to do something.
	namesPerson = regexp.MustCompile(`@\w|(?i:copyright|author|\b(?:todo|bug|note) ?\()`)
	// Files whose comments no person wrote.
	generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
)

// sentences are those of the comments and Markdown of the Go distribution and then of
// the modules, each once, in the order of files, until they would fill a corpus.
// Those that name a person are left out; numbers, versions, dates and addresses of
// pages stay.
var sentences = sync.OnceValue(func() []string {
	var out []string
	seen := map[string]bool{}
	left := size.corpus
	add := func(paragraph string) {
		for paragraph != "" {
			s := paragraph
			if m := sentenceEnd.FindStringIndex(paragraph); m != nil {
				s = paragraph[:m[1]-1]
			}
			paragraph = paragraph[len(s):]
			s = strings.TrimSpace(s)
			if len(s) < 20 || len(s) > 500 || seen[s] || namesPerson.MatchString(s) {
				continue
			}
			seen[s] = true
			out = append(out, s)
			left -= len(s)
		}
	}
	walk := func(root string) {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case left <= 0:
				return fs.SkipAll
			case entry.IsDir() && slices.Contains([]string{"testdata", "test", "pkg"}, entry.Name()) && path != root:
				return fs.SkipDir
			case !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".md"):
				return nil
			}
			data, err := os.ReadFile(path)
			if err == nil && !generated.Match(data) {
				paragraphs(path, string(data), add)
			}
			return err
		})
		if err != nil {
			panic("a folder that prose is taken from cannot be read: " + err.Error())
		}
	}
	if walk(goroot()); left > 0 {
		for _, dir := range modules() {
			walk(dir)
		}
	}
	return out
})

// filled repeats write until a text has the size of a corpus.
func filled(write func(b *strings.Builder)) string {
	var b strings.Builder
	b.Grow(size.corpus + 1<<16)
	for b.Len() < size.corpus {
		write(&b)
	}
	return b.String()[:size.corpus]
}

// prose is the sentences in paragraphs of three to eight, shuffled anew when all have
// been said.
var prose = sync.OnceValue(func() string {
	r := rand.New(rand.NewPCG(1, 4))
	all := sentences()
	var order []int
	return filled(func(b *strings.Builder) {
		for range 3 + r.IntN(6) {
			if len(order) == 0 {
				order = r.Perm(len(all))
			}
			b.WriteString(all[order[0]])
			b.WriteByte(' ')
			order = order[1:]
		}
		b.WriteString("\n\n")
	})
})

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// Addresses that are kept for documentation: RFC 5737 and RFC 3849.
func ipv4(r *rand.Rand) string {
	return fmt.Sprintf("%s.%d", pick(r, "192.0.2", "198.51.100", "203.0.113"), 1+r.IntN(254))
}

func ipv6(r *rand.Rand) string {
	return fmt.Sprintf("2001:db8:%x:%x::%x", r.IntN(1<<16), r.IntN(1<<16), 1+r.IntN(1<<16-1))
}

// logs are lines of a server in three styles. One in four names the address of a
// client.
var logs = sync.OnceValue(func() string {
	r := rand.New(rand.NewPCG(2, 4))
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	paths := []string{"/", "/health", "/api/v1/items", "/api/v2/orders", "/static/app.4f9a1c.js", "/favicon.ico", "/metrics", "/api/v1/search", "/img/logo-64x64.png", "/login"}
	agents := []string{"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.5.0", "Go-http-client/2.0", "kube-probe/1.31", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"}
	parts := []string{"scheduler", "http", "db.pool", "cache", "worker-12", "queue", "tls"}
	messages := []string{"request done", "connection reset by peer", "cache miss", "job finished", "retrying after error", "slow query", "lease renewed", "flushed segments to disk"}
	return filled(func(b *strings.Builder) {
		now = now.Add(time.Duration(r.IntN(40_000)) * time.Microsecond)
		status := pick(r, 200, 200, 200, 200, 201, 204, 301, 304, 404, 500)
		path := pick(r, paths...)
		if r.IntN(2) == 0 {
			path = fmt.Sprintf("%s/%d", path, r.IntN(10_000_000))
		}
		switch r.IntN(4) {
		case 0:
			fmt.Fprintf(b, "%s - - [%s] \"%s %s HTTP/1.1\" %d %d \"-\" \"%s\"\n", ipv4(r), now.Format("02/Jan/2006:15:04:05 -0700"), pick(r, "GET", "POST", "PUT"), path, status, r.IntN(200_000), pick(r, agents...))
		case 1:
			fmt.Fprintf(b, "{\"ts\":%d.%06d,\"level\":\"%s\",\"msg\":\"%s\",\"request_id\":\"%016x\",\"path\":\"%s\",\"status\":%d,\"bytes\":%d,\"ms\":%.3f}\n", now.Unix(), r.IntN(1_000_000), pick(r, "info", "warn", "error"), pick(r, messages...), r.Uint64(), path, status, r.IntN(200_000), r.Float64()*900)
		case 2:
			fmt.Fprintf(b, "%s %-5s [%s] %s id=%s shard=%d/%d took=%dus\n", now.Format("2006-01-02T15:04:05.000000Z"), pick(r, "INFO", "WARN", "DEBUG"), pick(r, parts...), pick(r, messages...), uuid(r), r.IntN(64), 64, r.IntN(2_000_000))
		default:
			fmt.Fprintf(b, "%s host-%02d %s[%d]: %s: trace=%016x%016x offset=%d lsn=%d\n", now.Format("Jan _2 15:04:05"), r.IntN(40), pick(r, parts...), 300+r.IntN(32000), pick(r, messages...), r.Uint64(), r.Uint64(), r.Uint64()>>20, r.Uint64()>>24)
		}
	})
})

func uuid(r *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-%x%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), 8+r.IntN(4), r.IntN(1<<12), r.Uint64()>>16)
}

func digits(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(r.IntN(10))
	}
	return string(b)
}

// card ends with the check digit of ISO/IEC 7812-1 annex B, behind a prefix that banks
// use in tests.
func card(r *rand.Rand) string {
	s := "411111" + digits(r, 9)
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	s += string(rune('0' + (10-sum%10)%10))
	return s[:4] + " " + s[4:8] + " " + s[8:12] + " " + s[12:]
}

// iban has the check digits of ISO 13616, of a bank code that nobody has.
func iban(r *rand.Rand) string {
	account := "99999999" + digits(r, 10)
	n, _ := new(big.Int).SetString(account+"131400", 10) // D is 13, E is 14
	check := 98 - new(big.Int).Mod(n, big.NewInt(97)).Int64()
	return fmt.Sprintf("DE%02d%s", check, account)
}

// nhs is a number of the range 999, which is kept for tests, with the check digit of
// the NHS Data Dictionary.
func nhs(r *rand.Rand) string {
	for {
		s := "999" + digits(r, 6)
		sum := 0
		for i := range 9 {
			sum += int(s[i]-'0') * (10 - i)
		}
		if check := (11 - sum%11) % 11; check < 10 {
			return fmt.Sprintf("NHS number %s %s %s%d", s[:3], s[3:6], s[6:], check)
		}
	}
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// token has the shape and the checksum that GitHub describes for its tokens.
func token(r *rand.Rand) string {
	var b []byte
	for range 30 {
		b = append(b, base62[r.IntN(62)])
	}
	sum, tail := crc32.ChecksumIEEE(b), [6]byte{}
	for i := 5; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	return "ghp_" + string(b) + string(tail[:])
}

// Names that nobody has, but for chance.
var (
	firstNames = []string{"Alex", "Kim", "Robin", "Sam", "Toni"}
	lastNames  = []string{"North", "Stonewater", "Fieldmark", "Applebrook"}
)

func mail(r *rand.Rand) string {
	return fmt.Sprintf("%s.%s%d@example.%s", strings.ToLower(pick(r, firstNames...)), strings.ToLower(pick(r, lastNames...)), r.IntN(1000), pick(r, "com", "org", "net"))
}

// phone is a number that the North American plan keeps for fiction.
func phone(r *rand.Rand) string {
	return fmt.Sprintf("+1 %d 555 01%s", pick(r, 202, 212, 303, 415, 617), digits(r, 2))
}

var makers = []func(*rand.Rand) string{mail, card, iban, ipv4, ipv6, phone, nhs, token}

// planted is how many identifiers dense holds.
var planted int

// dense has a valid identifier about every 50 bytes, and names of persons, whom no
// engine here knows.
var dense = sync.OnceValue(func() string {
	r := rand.New(rand.NewPCG(3, 4))
	verbs := []string{"wrote from", "was sent to", "paid with", "called", "can be reached under", "signed in from", "gave us"}
	links := []string{" and ", ", then ", " on Monday. ", ". The order came later.\n"}
	return filled(func(b *strings.Builder) {
		if r.IntN(2) == 0 {
			b.WriteString(pick(r, firstNames...) + " " + pick(r, lastNames...) + " ")
		}
		b.WriteString(pick(r, verbs...) + " " + pick(r, makers...)(r) + pick(r, links...))
		planted++
	})
})

// A hostile text is one of size.hostile that makes an engine work hard: all of it is
// one token, or every place might begin something.
type hostile struct {
	name string
	text func() string
}

var hostiles = []hostile{
	{"digit 1", repeated("1")},
	{"at", repeated("@")},
	{"colon", repeated(":")},
	{"hyphen", repeated("-")},
	{"eyJ", repeated("eyJ")},
	{"spaces", repeated(" ")},
	{"digits", mixed("0123456789")},
	{"hex", mixed("0123456789abcdef")},
	{"digits and separators", mixed("0123456789 -./:")},
	{"digits and spaces", mixed("0123456789 ")},
	{"digits spaces hyphens", mixed("0123456789 -")},
	{"base64", mixed(base62 + "+/")},
	{"a.", repeated("a.")},
	{"1.", repeated("1.")},
	{"1:", repeated("1:")},
	{"+1", repeated("+1 ")},
	{"a@a.", repeated("a@a.")},
	{"wide digits", repeated("１")},
	{"mail characters", mixed("ab.@-")},
	{"cards with wrong digits", repeated("card 4111 1111 1111 1112 ")},
	{"passwords", repeated("password=")},
	{"begins of keys", repeated("-----BEGIN ")},
}

func repeated(unit string) func() string {
	return func() string { return strings.Repeat(unit, size.hostile/len(unit)) }
}

func mixed(alphabet string) func() string {
	return func() string {
		r := rand.New(rand.NewPCG(5, 4))
		b := make([]byte, size.hostile)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
}

func TestCorpora(t *testing.T) {
	for _, c := range corpora {
		require.Len(t, c.text(), size.corpus, c.name)
	}
	distinct := 0
	for _, s := range sentences() {
		distinct += len(s)
	}
	t.Logf("prose: %.1f MB of %d sentences; dense: %d bytes for an identifier", float64(distinct)/1e6, len(sentences()), size.corpus/planted)
}
