package sqlstore_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// childVariable makes the test binary a program that appends until it is killed.
const childVariable = "PRIVET_SQLSTORE_CHILD"

// child appends to the log that the variable names and writes the id of each entry
// that was acknowledged.
func child() int {
	s, err := sqlstore.OpenDSN(ctx, os.Getenv(childVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("p%d.%d", os.Getpid(), i)
		if err := s.Append(ctx, adding(jane, id)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(id)
	}
}

// A process that is killed in the middle of its appends leaves a whole history that
// has everything that was acknowledged to it.
func TestKilledWhileAppending(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		rounds := 5
		if *long {
			rounds = 200
		}
		var acknowledged []string
		for range rounds {
			cmd := exec.Command(os.Args[0], "-test.run=^$")
			cmd.Env = append(os.Environ(), childVariable+"="+dsn)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			var complaint strings.Builder
			cmd.Stderr = &complaint
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan(), "it began: %s", &complaint)
			acknowledged = append(acknowledged, lines.Text())
			time.AfterFunc(rand.N(50*time.Millisecond), func() { _ = cmd.Process.Kill() })
			for lines.Scan() {
				acknowledged = append(acknowledged, lines.Text())
			}
			_ = cmd.Wait() // it was killed
			require.Empty(t, complaint.String())
		}
		there := make(map[string]bool)
		for _, id := range verified(t, s) {
			there[id] = true
		}
		for _, id := range acknowledged {
			require.True(t, there[id], "%s was acknowledged", id)
		}
		assert.Greater(t, len(acknowledged), rounds, "it was in the middle of things")
		assert.LessOrEqual(t, len(there)-len(acknowledged), rounds, "at most one each had not been told of yet")
		require.NoError(t, s.Append(ctx, adding(jane, "goes on")))
	})
}
