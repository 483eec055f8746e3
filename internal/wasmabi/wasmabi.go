package wasmabi

import (
	"strconv"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/profile"
)

// The version of the interface. The major number is part of the names of the
// exports; a minor version adds operations and keys, and changes nothing.
const (
	Major  = 1
	Minor  = 0
	Number = Major<<16 | Minor
)

// Prefix begins the name of every export.
const Prefix = "pv1_"

// An Op is what is asked in a call. Numbers are stable.
type Op int32

// The operations. 3 is kept for many fields in one call.
const (
	OpDescribe  Op = 1
	OpClassify  Op = 2
	OpHash      Op = 4
	OpConsent   Op = 5
	OpRetention Op = 6
	OpExplain   Op = 7
	OpValidate  Op = 8
	OpSelftest  Op = 9
	OpProcess   Op = 10
	OpStats     Op = 11
	OpAddSecret Op = 12
)

// Ops are the operations of this version, in the order of their names. Those that
// need no policy may be called with handle 0.
var Ops = [...]struct {
	Op       Op
	Name     string
	NoPolicy bool
}{
	{OpAddSecret, "add_secret", false},
	{OpClassify, "classify", false},
	{OpConsent, "consent_check", false},
	{OpDescribe, "describe", true},
	{OpExplain, "explain", false},
	{OpHash, "hash", false},
	{OpProcess, "process", false},
	{OpRetention, "retention", false},
	{OpSelftest, "selftest", true},
	{OpStats, "stats", true},
	{OpValidate, "validate", true},
}

// Limits of an instance.
const (
	MaxBuffer  = 16 << 20 // bytes of one buffer, and so of one request
	MaxBuffers = 256      // that the host holds at once
	MaxBytes   = 64 << 20 // of all buffers together
	MaxHandles = 256      // policies open at once
)

// Codes are the errors and what a call returns for each, in the order of their
// names. Numbers are stable. What the names mean is said in package privacy, and
// for the guest's own in its ABI.md.
var Codes = [...]struct {
	Number int32
	Name   string
}{
	{-3, "BAD_HANDLE"},
	{-4, "BAD_POINTER"},
	{-25, "BAD_POLICY"},
	{-8, "BAD_REQUEST"},
	{-15, "BAD_SCOPE"},
	{-14, "BAD_SECRET"},
	{-16, "BAD_VALUE"},
	{-23, "BUNDLE_CORRUPT"},
	{-21, "BUNDLE_NEWER"},
	{-24, "BUNDLE_TOO_LARGE"},
	{-22, "BUNDLE_TRUNCATED"},
	{-1, "INTERNAL"},
	{-20, "NOT_BUNDLE"},
	{-12, "NO_SECRET"},
	{-11, "RULE_ERROR"},
	{-13, "SECRET_DESTROYED"},
	{-17, "SELFTEST_FAILED"},
	{-6, "TOO_DEEP"},
	{-5, "TOO_LARGE"},
	{-7, "TOO_MANY"},
	{-10, "TOO_MANY_BUFFERS"},
	{-9, "TOO_MANY_HANDLES"},
	{-2, "UNKNOWN_OP"},
}

// AppendInfo appends what a host may want to know before it asks anything, as
// JSON: abi, codes, limits, ops, profile. With a version it has that too; this is
// the text of the custom section.
func AppendInfo(dst []byte, version string) []byte {
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	w.Name("abi")
	w.Open('{')
	WriteNumber(&w, "major", Major)
	WriteNumber(&w, "minor", Minor)
	w.Close('}')
	w.Name("codes")
	w.Open('{')
	for _, c := range Codes {
		WriteNumber(&w, c.Name, int64(c.Number))
	}
	w.Close('}')
	w.Name("limits")
	w.Open('{')
	WriteNumber(&w, "buffer_bytes", MaxBuffer)
	WriteNumber(&w, "buffers", MaxBuffers)
	WriteNumber(&w, "buffers_bytes", MaxBytes)
	WriteNumber(&w, "handles", MaxHandles)
	w.Close('}')
	w.Name("ops")
	w.Open('{')
	for _, o := range Ops {
		WriteNumber(&w, o.Name, int64(o.Op))
	}
	w.Close('}')
	w.Name("product")
	w.String("privet")
	WriteNumber(&w, "profile", profile.Version)
	if version != "" {
		w.Name("version")
		w.String(version)
	}
	w.Close('}')
	return w.Buf
}

// WriteNumber writes a member. It is kept out of line: a module is paid for by size.
//
//go:noinline
func WriteNumber(w *jsondoc.Writer, name string, n int64) {
	w.Name(name)
	w.Append(func(b []byte) []byte { return strconv.AppendInt(b, n, 10) })
}
