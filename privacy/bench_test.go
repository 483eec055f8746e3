package privacy_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// The floor is what any program that reads and writes the same JSON pays: decode
// into Go values, encode again. Ours does that and classifies, decides,
// pseudonymises and plans for every field. Both take the same bytes, one event of
// 20 fields of which four are identifiers.
var benchEvent = []byte(`{"anchors":{"service_provided":"2026-03-28T10:00:00Z","used_at":"2026-03-28T10:00:00Z"},"at":"2026-03-28T10:00:00Z","class":"service.required","feature":"windows-update","fields":{"AppSessionGuid":"6474663d-9cbd-4bc9-91f6-e60397a25224","BundleId":"7f2c9f9a-3c1e-4c39-9df4-2f5f2b9a1d77","CallerName":"UpdateOrchestrator","DownloadPriority":2,"EventInstanceID":"0d9c2f7e-51a1-4f3a-8d93-0c1b6b1e2f3a","ExtendedStatusCode":0,"FlightId":"RS:26100","HandlerType":"Windows setup","HResult":-2145124329,"IsInteractive":false,"LogVersion":3,"ProcessName":"svchost.exe","ProductId":"c1f8a7e2","RelatedCV":"bQ9rT2Lk0Ue1.0","ServiceUrl":"https://sls.update.example.com/","StatusCode":0,"TimeStamp":"2026-03-28T09:59:58Z","UusVersion":"1318.2503.20091.0","deviceId":"s:9F86D081884C7D65","osVersion":"10.0.26100.3476"},"id":"e1","purpose":"service.operate","subject":{"id":"s1","tenant":"contoso"}}`)

func BenchmarkProcess(b *testing.B) {
	bundle, err := policy.Pack("windows-service-data")
	require.NoError(b, err)
	g, err := privacy.Open(bundle, privacy.WithSecrets(pseudonym.NewDevelopmentStore(fixed{})))
	require.NoError(b, err)
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(benchEvent)))
		for b.Loop() {
			var v map[string]any
			if json.Unmarshal(benchEvent, &v) != nil {
				b.Fatal()
			}
			if _, err := json.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
	run := func(b *testing.B, dst []byte) []byte {
		dst, err := g.ProcessJSON(context.Background(), dst[:0], benchEvent, false)
		if err != nil {
			b.Fatal(err)
		}
		return dst
	}
	b.Run("process", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(benchEvent)))
		var dst []byte
		for b.Loop() {
			dst = run(b, dst)
		}
		if os.Getenv("PRINT") != "" {
			b.Log(string(dst))
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(benchEvent)))
		b.RunParallel(func(pb *testing.PB) {
			var dst []byte
			for pb.Next() {
				dst = run(b, dst)
			}
		})
	})
}

func BenchmarkOpen(b *testing.B) {
	bundle, err := policy.Pack("windows-service-data")
	require.NoError(b, err)
	data := bundle.Bytes()
	b.ReportAllocs()
	for b.Loop() {
		read, err := privacy.ReadBundle(data)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := privacy.Open(read); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Pack("windows-service-data"); err != nil {
			b.Fatal(err)
		}
	}
}
