package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/internal/keyfile"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/signature"
	"github.com/privetdev/privet/wasm/emit"
)

// completePolicy completes the values of --policy: the packs, and files.
func completePolicy(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, name := range policy.Packs() {
		names = append(names, "pack:"+name)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// policyArgument is one policy to compile or test.
func policyArgument(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return mended("which policy?", "name a YAML file, or one of: pack:"+strings.Join(policy.Packs(), ", pack:"))
	case len(args) > 1:
		return mended("more than one policy", "a policy that belongs to others names them in extends")
	}
	return nil
}

func newCompile(e *env) *cobra.Command {
	var out, signer, target string
	c := &cobra.Command{
		Use:   "compile POLICY",
		Short: "Check a policy, run its tests, write it as a bundle or as WebAssembly",
		Long: `Compile checks a policy: every fault is told at once, with its line and column and
a way to mend it. It then runs the tests that stand in the policy and writes the
bundle that every host loads, without the compiler. The same text gives the same
bytes on every machine.

With --sign the bundle carries an Ed25519 signature over all of the policy, its name
and its version. A service that pins the public key refuses every other bundle. The
fingerprint of a policy is the same with and without a signature.

With --target wasm it writes a classifier module in place of a bundle: the rules and
detectors of the policy as one WebAssembly file that imports nothing, for hosts that
only classify; see wasm/ABI.md. It says what the bundle says, and whose signature that
has. Purposes, consent, transforms and retention are not in it.

Exit status: 0 compiled, 1 a test of the policy failed, 2 the policy has faults.`,
		Example: `  privet compile policy.yaml                       # check only
  privet compile policy.yaml -o policy.bundle
  privet process --policy policy.bundle events.jsonl results.jsonl
  privet compile policy.yaml -o policy.bundle --sign release.key   # see privet keygen
  privet compile policy.yaml --target wasm -o classifier.wasm`,
		Args:              policyArgument,
		ValidArgsFunction: completePolicy,
		RunE: func(_ *cobra.Command, args []string) error {
			if target != targetBundle && target != targetWasm {
				return mended("there is no target "+strconv.Quote(target), "name one of: bundle, wasm")
			}
			var key ed25519.PrivateKey
			if signer != "" {
				if out == "" {
					return mended("--sign without --out signs nothing", "name the bundle to write: -o policy.bundle")
				}
				var err error
				if key, err = keyfile.Signer(signer); err != nil {
					return err
				}
			}
			bundle, err := compilePolicy(args[0])
			if err != nil {
				return err
			}
			if key != nil && bundle.Info().Version == 0 {
				return mended("the policy has no version, so nobody could tell an old signed bundle from a new one", "write version: 1 in the policy, and raise it with every change")
			}
			report, err := testPolicy(args[0])
			if err != nil {
				return err
			}
			if !report.OK() {
				printReport(e.stderr, args[0], report)
				return &status{exitBad, "nothing was written: the policy fails its own tests"}
			}
			if key != nil {
				if bundle, err = signature.Sign(bundle, key); err != nil {
					return err
				}
			}
			data, info := bundle.Bytes(), bundle.Info()
			if target == targetWasm {
				if data, err = emit.Module(data, emit.Options{}); err != nil {
					return fmt.Errorf("%s cannot be made into a classifier module:\n%w", args[0], err)
				}
			}
			if out != "" {
				if err := writeWhole(out, data, e.stdout); err != nil {
					return err
				}
			}
			fmt.Fprintf(e.stderr, "%s version %d: %s, fingerprint %s\n", info.Name, info.Version, size(int64(len(data))), info.Fingerprint)
			if key != nil {
				fmt.Fprintf(e.stderr, "signed by key %s\n", signature.KeyID(signature.By(bundle)))
			}
			printReport(e.stderr, args[0], report)
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "what to write, a `file` or - (default: nothing, only check)")
	c.Flags().StringVar(&target, "target", targetBundle, "`what` to make: bundle, or wasm for a classifier module")
	c.Flags().StringVar(&signer, "sign", "", "sign the bundle with the private key in this `file`; see privet keygen")
	return c
}

// What compile makes.
const (
	targetBundle = "bundle"
	targetWasm   = "wasm"
)

// compilePolicy is loadPolicy for sources only.
func compilePolicy(where string) (*privacy.Bundle, error) {
	if name, ok := strings.CutPrefix(where, "pack:"); ok && slices.Contains(policy.Packs(), name) {
		return policy.Pack(name)
	}
	if err := isSource(where); err != nil {
		return nil, err
	}
	return policy.CompileFile(where)
}

// isSource gives what is no policy text an answer of its own.
func isSource(where string) error {
	if strings.HasPrefix(where, "pack:") {
		_, err := loadPolicy(where) // says which packs there are
		return err
	}
	if err := regularFile("policy", where, "name the policy file in it"); err != nil {
		return err
	}
	head, err := readHead(where, 64)
	if err != nil {
		return fmt.Errorf("cannot read the policy %s: %s", where, fileProblem(err))
	}
	if _, err := privacy.ReadBundle(head); !errors.Is(err, privacy.ErrNotBundle) {
		return mended(where+" is a bundle, which is compiled already", "name the YAML that it was made from")
	}
	return nil
}
