package peerstext

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

// How TestMemory asks a process of its own for one case.
var (
	memoryCase  = flag.String("memory-case", "", "the case to measure in this process; set by TestMemory")
	memoryTexts = flag.String("memory-texts", "", "folder of the texts for the case; set by TestMemory")
)

// A usage is what a case took, in bytes.
type usage struct {
	Seconds   float64
	Text      int // bytes gone through
	Findings  int
	HeapPeak  uint64 // most of the heap that was in use when looked at, less what was before
	HeapLeft  uint64 // after a collection, less what was before
	RSSBefore uint64 // 0 where the system does not tell
	RSSPeak   uint64
}

// status is a size from /proc, 0 on systems without it.
func status(key string) uint64 {
	data, _ := os.ReadFile("/proc/self/status")
	m := regexp.MustCompile(key + `:\s+(\d+) kB`).FindSubmatch(data)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseUint(string(m[1]), 10, 64)
	return n << 10
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// used measures f, which says how many bytes it went through and what it found. What
// was made before it, such as the text, does not count.
func used(f func() (text, findings int)) usage {
	runtime.GC()
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
	before := heap()
	u := usage{RSSBefore: status("VmRSS")}
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			u.HeapPeak = max(u.HeapPeak, heap())
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	from := time.Now()
	u.Text, u.Findings = f()
	u.Seconds = time.Since(from).Seconds()
	close(stop)
	<-stopped
	u.RSSPeak = status("VmHWM")
	runtime.GC()
	u.HeapLeft = max(heap(), before) - before
	u.HeapPeak = max(u.HeapPeak, before) - before
	return u
}

// A memoryUse is measured in a process of its own, with a classifier that has seen no
// text. Its text comes from a file, so that what made it takes no memory there.
type memoryUse struct {
	name string
	text func() string // nil: all corpora in turn, through a pipe
	over func(*classify.Classifier) look
	side int // how many go through the text at once, each with a scanner of its own
}

func memoryUses() []memoryUse {
	uses := []memoryUse{
		{"open the detectors, scan one line", func() string { return "jane@example.com" }, scanning, 1},
		{"stream through a pipe", nil, nil, 1},
	}
	for _, c := range corpora {
		eighth := func() string { return c.text()[:size.corpus/8] }
		uses = append(uses,
			memoryUse{c.name, c.text, scanning, 1},
			memoryUse{c.name + ", 8 scans of an eighth", eighth, scanning, 8},
			memoryUse{c.name + ", 8 streams of an eighth", eighth, reading, 8})
	}
	for _, h := range hostiles {
		uses = append(uses, memoryUse{"hostile: " + h.name, h.text, scanning, 1})
	}
	return uses
}

// measure is what the process of a case does.
func (m memoryUse) measure(t *testing.T, dir string) usage {
	runtime.GOMAXPROCS(runtime.NumCPU())
	if m.text == nil {
		return used(func() (text, findings int) {
			r, w := io.Pipe()
			go func() { _ = w.CloseWithError(sendCorpora(w, dir)) }()
			err := opened(t).NewScanner().ScanReader(r, func(classify.Finding) error { findings++; return nil })
			require.NoError(t, err)
			return size.stream, findings
		})
	}
	data, err := os.ReadFile(filepath.Join(dir, "text"))
	require.NoError(t, err)
	text := unsafe.String(unsafe.SliceData(data), len(data))
	return used(func() (int, int) {
		c := opened(t)
		counts := make([]int, m.side)
		var wg sync.WaitGroup
		for i := range counts {
			wg.Go(func() { counts[i] = m.over(c)(text) })
		}
		wg.Wait()
		for _, n := range counts {
			require.Equal(t, counts[0], n, "they find the same")
		}
		return m.side * len(text), m.side * counts[0]
	})
}

// sendCorpora writes size.stream bytes: the files of the corpora in turn, again and
// again.
func sendCorpora(w io.Writer, dir string) error {
	for sent := int64(0); ; {
		for _, c := range corpora {
			f, err := os.Open(filepath.Join(dir, c.name))
			if err != nil {
				return err
			}
			n, err := io.Copy(w, io.LimitReader(f, int64(size.stream)-sent))
			_ = f.Close()
			if sent += n; err != nil || sent == int64(size.stream) {
				return err
			}
		}
	}
}

// TestMemory prints a table of what each case takes.
func TestMemory(t *testing.T) {
	uses := memoryUses()
	if *memoryCase != "" {
		i, err := strconv.Atoi(*memoryCase)
		require.NoError(t, err)
		out, err := json.Marshal(uses[i].measure(t, *memoryTexts))
		require.NoError(t, err)
		fmt.Printf("usage %s\n", out)
		return
	}
	if !*full {
		uses = uses[:4] // a process for each takes its time
	}
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for _, c := range corpora {
		write(c.name, c.text())
	}
	var table strings.Builder
	table.WriteString("| case | MB | findings | s | MB/s | heap peak MB | heap left MB | RSS before MB | RSS peak MB |\n|---|---|---|---|---|---|---|---|---|\n")
	mb := func(n uint64) float64 { return float64(n) / 1e6 }
	for i, m := range uses {
		if m.text != nil {
			write("text", m.text())
		}
		out, err := exec.Command(os.Args[0], "-test.run", "^TestMemory$", fmt.Sprint("-full=", *full), "-memory-case", fmt.Sprint(i), "-memory-texts", dir).CombinedOutput()
		require.NoError(t, err, "%s: %s", m.name, out)
		_, line, _ := strings.Cut(string(out), "usage ")
		line, _, _ = strings.Cut(line, "\n")
		var u usage
		require.NoError(t, json.Unmarshal([]byte(line), &u), "%s: %s", m.name, out)
		fmt.Fprintf(&table, "| %s | %.0f | %d | %.2f | %.0f | %.1f | %.1f | %.1f | %.1f |\n", m.name, mb(uint64(u.Text)), u.Findings, u.Seconds,
			mb(uint64(u.Text))/u.Seconds, mb(u.HeapPeak), mb(u.HeapLeft), mb(u.RSSBefore), mb(u.RSSPeak))
		if m.text == nil {
			require.Less(t, mb(u.HeapPeak), 256.0, "the heap must not grow with the stream")
		}
	}
	t.Log("\n" + table.String())
}
