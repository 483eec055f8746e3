package filestore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

const killHelper = "PRIVET_FILESTORE_KILL_HELPER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killHelper); dir != "" {
		fmt.Println("error", work(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// work records and erases from four goroutines until it is killed. It says what it was
// told, and before an erasure what it is about to do; nothing is buffered.
func work(dir string) error {
	ctx := context.Background()
	l, err := OpenLedger(ctx, dir, WithSegmentSize(64<<10))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	scope := consent.Scope{Purpose: "diagnostic.optional"}
	run := rand.Uint64()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				subject := fmt.Sprintf("p1_%x_%d_%d", run, worker, n/8)
				ev := ledger.Granted(subject, scope, at)
				ev.ID = fmt.Sprintf("%x-%d-%d", run, worker, n)
				if _, e := l.Append(ctx, ev); e != nil {
					fmt.Println("error", e)
					return
				}
				fmt.Println("recorded", subject, ev.ID)
				if n%8 == 7 {
					fmt.Println("erasing", subject)
					if _, e := l.Erase(ctx, subject, at, ledger.OnRequest); e != nil {
						fmt.Println("error", e)
						return
					}
					fmt.Println("erased", subject)
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// Programs that record and erase are killed at random moments, one after the other on
// one log. After each the log is opened and verified, everything that was acknowledged
// is in it, and nobody who was erased.
func TestKilled(t *testing.T) {
	kills := 50
	if *long {
		kills = 2000
	}
	self, err := os.Executable()
	require.NoError(t, err)
	ctx := t.Context()
	const perLog = 25
	recorded, erasures, torn := 0, 0, 0
	var dir string
	var events map[string][]string // ids by subject
	var erased map[string]bool
	var heads []ledger.Head
	for n := range kills {
		if n%perLog == 0 {
			if dir != "" {
				require.NoError(t, os.RemoveAll(dir))
			}
			dir = filepath.Join(t.TempDir(), "log")
			events, erased, heads = map[string][]string{}, map[string]bool{}, nil
		}
		doubt := map[string]bool{}
		for line := range strings.Lines(killed(t, self, dir)) {
			if !strings.HasSuffix(line, "\n") {
				continue // cut off while it was said, so nobody was told
			}
			words := strings.Fields(line)
			switch words[0] {
			case "ready":
			case "recorded":
				events[words[1]] = append(events[words[1]], words[2])
				recorded++
			case "erasing":
				doubt[words[1]] = true
			case "erased":
				erased[words[1]] = true
				erasures++
			default:
				require.Fail(t, "the program failed by itself", line)
			}
		}
		size := folderSize(t, dir)
		l, err := OpenLedger(ctx, dir, WithSegmentSize(64<<10))
		require.NoError(t, err, "kill %d", n)
		if folderSize(t, dir) < size {
			torn++
		}
		report, err := l.Verify(ctx, ledger.Checks{})
		require.NoError(t, err, "kill %d", n)
		require.Empty(t, report.Problems, "kill %d", n)
		for _, old := range heads {
			c, err := l.ProveConsistency(ctx, old)
			require.NoError(t, err, "kill %d: the log is another one", n)
			require.NoError(t, c.Check())
		}
		heads = append(heads, report.Head)
		for subject, ids := range events {
			there := map[string]bool{}
			for ev, err := range l.Events(ctx, subject, ledger.AsOf{}) {
				require.NoError(t, err)
				there[ev.ID] = true
			}
			if doubt[subject] && len(there) == 0 {
				erased[subject] = true
			}
			for _, id := range ids {
				require.Equal(t, !erased[subject], there[id], "kill %d: %s of %s", n, id, subject)
			}
		}
		require.NoError(t, l.Close())
	}
	t.Logf("%d kills: %d events recorded, %d subjects erased, %d calls torn", kills, recorded, erasures, torn)
	assert.Greater(t, recorded, kills*5, "the programs were killed before they did anything")
	assert.NotZero(t, erasures)
}

func folderSize(t testing.TB, dir string) (size int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		size += info.Size()
	}
	return size
}

// killed runs a program until a random moment, and returns what it said.
func killed(t *testing.T, self, dir string) string {
	t.Helper()
	c := exec.Command(self)
	c.Env = append(os.Environ(), killHelper+"="+dir)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	r := bufio.NewReader(out)
	first, err := r.ReadString('\n')
	require.NoError(t, err, first)
	timer := time.AfterFunc(time.Duration(rand.Int64N(int64(60*time.Millisecond))), func() { c.Process.Kill() })
	defer timer.Stop()
	said, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Error(t, c.Wait(), "it ended by itself")
	return first + string(said)
}
