package secretfile

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy/pseudonym"
)

var long = flag.Bool("long", false, "kill 1,000 programs instead of 50")

const killHelper = "PRIVET_SECRETFILE_KILL_HELPER"

func TestMain(m *testing.M) {
	if path := os.Getenv(killHelper); path != "" {
		fmt.Println("error", work(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// work rotates and destroys until it is killed. It says what it is about to do before
// it does it, and what it was told after that; nothing is buffered.
func work(path string) error {
	ctx := context.Background()
	key, err := NewKey([]byte(strings.Repeat("k", KeySize)))
	if err != nil {
		return err
	}
	s, err := Open(ctx, path, key)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		v, err := s.Generate(ctx, "contoso")
		if err != nil {
			return err
		}
		secret, err := s.Secret(ctx, "contoso", v)
		if err != nil {
			return err
		}
		fmt.Println("made", v, secret.Check("contoso", v))
		live, err := s.Versions(ctx, "contoso")
		if err != nil {
			return err
		}
		pick := live[rand.IntN(len(live))]
		switch rand.IntN(4) {
		case 0, 1:
			fmt.Println("destroying", pick)
			if err := s.Destroy(ctx, "contoso", pick, because); err != nil {
				return err
			}
			fmt.Println("destroyed", pick)
		case 2:
			fmt.Println("destroying", pick)
			if err := s.DestroyPending(ctx, "contoso", pick, at, because); err != nil {
				return err
			}
			if _, err := s.DestroyDue(ctx, at); err != nil {
				return err
			}
			fmt.Println("destroyed", pick)
		}
	}
}

// Programs that rotate and destroy are killed at random moments, one after the other
// on one file. After each, the file is read, everything that was acknowledged is in it,
// and nothing that was destroyed.
func TestKilled(t *testing.T) {
	kills := 50
	if *long {
		kills = 1000
	}
	self, err := os.Executable()
	require.NoError(t, err)
	const perStore = 25
	var s *Store
	var live map[uint32]string
	var dead map[uint32]bool
	made, destroyed, inDoubt := 0, 0, 0
	for n := range kills {
		if n%perStore == 0 {
			s, err = Create(t.Context(), filepath.Join(t.TempDir(), "secrets"), testKey(t, 'k'))
			require.NoError(t, err)
			live, dead = map[uint32]string{}, map[uint32]bool{}
		}
		said := killed(t, self, s.path)
		doubt := uint32(0)
		for line := range strings.Lines(said) {
			if !strings.HasSuffix(line, "\n") {
				continue // cut off while it was said, so nobody was told
			}
			var v uint32
			var check string
			switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); word {
			case "ready":
			case "made":
				_, err = fmt.Sscan(rest, &v, &check)
				require.NoError(t, err)
				require.Empty(t, live[v], "version %d was given twice", v)
				require.False(t, dead[v], "version %d was given twice", v)
				live[v] = check
				made++
			case "destroying":
				_, err = fmt.Sscan(rest, &doubt)
				require.NoError(t, err)
			case "destroyed":
				_, err = fmt.Sscan(rest, &v)
				require.NoError(t, err)
				delete(live, v)
				dead[v], doubt = true, 0
				destroyed++
			default:
				require.Fail(t, "the program failed by itself", line)
			}
		}
		after, err := Open(t.Context(), s.path, testKey(t, 'k'))
		require.NoError(t, err, "kill %d: not readable", n)
		for v, check := range live {
			secret, err := after.Secret(t.Context(), "contoso", v)
			if v == doubt && errors.Is(err, pseudonym.ErrPending) {
				require.NoError(t, after.CancelDestroy(t.Context(), "contoso", v))
				inDoubt++
				continue
			}
			if v == doubt && errors.Is(err, pseudonym.ErrDestroyed) {
				delete(live, v)
				dead[v] = true
				inDoubt++
				continue
			}
			require.NoError(t, err, "kill %d: version %d was acknowledged and is lost", n, v)
			require.Equal(t, check, secret.Check("contoso", v).String(), "kill %d: version %d is another secret", n, v)
		}
		for v := range dead {
			_, err := after.Secret(t.Context(), "contoso", v)
			require.ErrorIs(t, err, pseudonym.ErrDestroyed, "kill %d: version %d was destroyed and is back", n, v)
		}
		// What the program made without being able to say so is taken over, so that
		// later programs may destroy it.
		all, err := after.Status(t.Context(), "contoso")
		require.NoError(t, err)
		for _, st := range all {
			if live[st.Version] == "" && !dead[st.Version] {
				require.Contains(t, []pseudonym.State{pseudonym.StateLive, pseudonym.StatePending, pseudonym.StateDestroyed}, st.State)
				switch st.State {
				case pseudonym.StateDestroyed:
					dead[st.Version] = true
				case pseudonym.StatePending:
					require.NoError(t, after.CancelDestroy(t.Context(), "contoso", st.Version))
					fallthrough
				default:
					live[st.Version] = st.Check.String()
				}
			}
		}
		entries, err := os.ReadDir(filepath.Dir(s.path))
		require.NoError(t, err)
		require.LessOrEqual(t, len(entries), 5, "what killed programs leave behind does not pile up: %v", slices.Collect(names(entries)))
	}
	t.Logf("%d kills: %d secrets made, %d destroyed, %d destructions cut off half-way", kills, made, destroyed, inDoubt)
	assert.Greater(t, made, kills/4, "the programs were killed before they did anything")
	assert.NotZero(t, destroyed)
}

func names(entries []os.DirEntry) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, e := range entries {
			if !yield(e.Name()) {
				return
			}
		}
	}
}

// killed runs a program until a random moment, and returns what it said.
func killed(t *testing.T, self, path string) string {
	t.Helper()
	c := exec.Command(self)
	c.Env = append(os.Environ(), killHelper+"="+path)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	r := bufio.NewReader(out)
	first, err := r.ReadString('\n')
	require.NoError(t, err, first)
	timer := time.AfterFunc(time.Duration(rand.Int64N(int64(50*time.Millisecond))), func() { c.Process.Kill() })
	defer timer.Stop()
	said, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Error(t, c.Wait(), "it ended by itself")
	return first + string(said)
}
