// Package abi is what the WebAssembly guest does, without WebAssembly: buffers,
// handles, operations and the result descriptor. The guest's exports are shims
// over it, so that all of it is tested and fuzzed natively. wasm/ABI.md is its
// documentation for people who write hosts.
package abi

import (
	"errors"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/wasmabi"
	"github.com/privetdev/privet/privacy"
)

// A Status is what a call returns: 0 for an answer, more than 0 for an answer
// that does not simply allow, less than 0 for an error.
type Status int32

// The statuses of answers.
const (
	StatusOK      Status = 0 // answered; of process, explain and consent_check: allow
	StatusPartial Status = 1
	StatusAsk     Status = 2
	StatusDeny    Status = 3
)

var outcomes = map[string]Status{
	string(privacy.Partial): StatusPartial,
	string(privacy.Ask):     StatusAsk,
	string(privacy.Deny):    StatusDeny,
}

// The codes that only the guest has, beside those of package privacy.
const (
	codeUnknownOp      privacy.Code = "UNKNOWN_OP"
	codeBadHandle      privacy.Code = "BAD_HANDLE"
	codeBadPointer     privacy.Code = "BAD_POINTER"
	codeTooManyHandles privacy.Code = "TOO_MANY_HANDLES"
	codeTooManyBuffers privacy.Code = "TOO_MANY_BUFFERS"
	codeSelftest       privacy.Code = "SELFTEST_FAILED"
)

// statusOf is the status of an error's code.
func statusOf(code privacy.Code) Status {
	for _, c := range wasmabi.Codes {
		if c.Name == string(code) {
			return Status(c.Number)
		}
	}
	return -1
}

// A fault is an error of the guest itself, in fixed words.
type fault struct {
	code          privacy.Code
	message, mend string
}

func (f *fault) Error() string { return f.message }

// appendError appends an error as JSON and tells its status.
func appendError(dst []byte, err error) ([]byte, Status) {
	var f *fault
	if !errors.As(err, &f) {
		return privacy.AppendErrorJSON(dst, err), statusOf(privacy.ErrorCode(err))
	}
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	w.Name("code")
	w.String(string(f.code))
	if f.mend != "" {
		w.Name("mend")
		w.String(f.mend)
	}
	w.Name("message")
	w.String(f.message)
	w.Close('}')
	return w.Buf, statusOf(f.code)
}
