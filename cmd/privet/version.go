package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy/policy"
)

func newVersion(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is and what it understands",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version := "(built from source)"
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
				version = info.Main.Version
			}
			fmt.Fprintf(e.stdout, "privet %s, %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			fmt.Fprintf(e.stdout, "policies: privet: %d and lower\n", profile.Version)
			for _, name := range policy.Packs() {
				fmt.Fprintf(e.stdout, "pack:%s\n", name)
			}
			return nil
		},
	}
}
