package sqlstore_test

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent/ledger/sqlstore"
)

// The rights that the README grants are enough, and no more than it says.
func TestRolesOfTheReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, grants, found := strings.Cut(string(text), "```sql\n")
	require.True(t, found, "the README grants rights")
	grants, _, _ = strings.Cut(grants, "```")

	dsn := database(t)
	owner := open(t, dsn)
	require.NoError(t, owner.Append(ctx, adding(jane, "a")))
	require.NoError(t, owner.Append(ctx, adding(john, "b")))
	db := raw(t, dsn)
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	schema := u.Query().Get("search_path")
	roles := []string{"consent_recorder", "consent_eraser", "consent_auditor"}
	for _, role := range roles {
		_, err = db.ExecContext(ctx, "CREATE ROLE "+role+" LOGIN")
		require.NoError(t, err)
		_, err = db.ExecContext(ctx, "GRANT USAGE ON SCHEMA "+schema+" TO "+role)
		require.NoError(t, err)
	}
	_, err = db.ExecContext(ctx, grants)
	require.NoError(t, err)
	as := func(role string) string {
		return strings.Replace(dsn, "postgres://postgres@", "postgres://"+role+"@", 1)
	}

	recorder := open(t, as("consent_recorder"))
	require.NoError(t, recorder.Append(ctx, adding(jane, "c")))
	require.ErrorContains(t, recorder.Drop(ctx, jane), "lacks a right")
	eraser := open(t, as("consent_eraser"))
	require.NoError(t, eraser.Append(ctx, adding(jane, "d")))
	require.NoError(t, eraser.Drop(ctx, jane))
	assert.Empty(t, collect(t, owner.Subject(ctx, jane, 0)))
	auditor := open(t, as("consent_auditor"), sqlstore.ReadOnly())
	assert.Equal(t, []string{"a", "b", "c", "d"}, verified(t, auditor))
	bold := open(t, as("consent_auditor")) // without saying that it only reads
	require.ErrorContains(t, bold.Append(ctx, adding(jane, "e")), "lacks a right")

	for _, role := range roles {
		mine := raw(t, as(role))
		for _, text := range []string{
			"UPDATE privet_entries SET envelope = sealed WHERE seq = 2", "UPDATE privet_entries SET id = id WHERE seq = 2",
			"DELETE FROM privet_entries WHERE seq = 2", "TRUNCATE privet_entries", "DELETE FROM privet_log", "UPDATE privet_log SET version = 0",
			"DROP TABLE privet_entries", "ALTER TABLE privet_entries DROP COLUMN prev",
		} {
			_, err := mine.ExecContext(ctx, text)
			require.Error(t, err, "%s: %s", role, text)
			assert.Regexp(t, "42501", err.Error(), "%s: %s", role, text)
		}
	}
	_, err = sqlstore.OpenDSN(ctx, as("consent_recorder"), sqlstore.WithName("another"))
	require.ErrorContains(t, err, "lacks a right", "no tables are made by a role that may not")
}
