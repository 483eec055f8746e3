package subgo_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify/detect"
	"github.com/privetdev/privet/internal/subgo"
)

const detectPath = "github.com/privetdev/privet/classify/detect"

// checks are the functions of classify/detect that rules call.
var checks = map[string]any{
	"Luhn": detect.Luhn, "Mod97": detect.Mod97, "IBANLength": detect.IBANLength, "IBAN": detect.IBAN, "Mod11": detect.Mod11, "Mod1110": detect.Mod1110,
	"Verhoeff": detect.Verhoeff, "Damm": detect.Damm, "ISIN": detect.ISIN, "ICAO": detect.ICAO, "YMD": detect.YMD, "Mod37": detect.Mod37, "Mod661": detect.Mod661,
	"Mod1271": detect.Mod1271, "Mod2726": detect.Mod2726, "Mod3736": detect.Mod3736, "Base58Check": detect.Base58Check, "Bech32": detect.Bech32, "IP": detect.IP,
	"CIDR": detect.CIDR, "Domain": detect.Domain, "UUID": detect.UUID, "ULID": detect.ULID, "Entropy": detect.Entropy, "Email": detect.Email, "Registered": detect.Registered,
	"Phone": detect.Phone, "Alone": detect.Alone, "CRC62": detect.CRC62, "CRCHex": detect.CRCHex, "YYMMDD": detect.YYMMDD, "EIP55": detect.EIP55,
}

// compileDetect compiles one function, or says why not.
func compileDetect(names ...string) (*machineSource, error) {
	var roots []subgo.Root
	for _, n := range names {
		roots = append(roots, subgo.Root{Package: detectPath, Func: n})
	}
	object, err := subgo.Compile([]subgo.Package{{Path: detectPath, Files: os.DirFS("../../classify/detect")}}, roots)
	return &machineSource{object}, err
}

func TestChecksThatCompile(t *testing.T) {
	for _, name := range sortedKeys(checks) {
		_, err := compileDetect(name)
		if err == nil {
			t.Logf("%-12s compiles", name)
			continue
		}
		var list subgo.Errors
		require.True(t, errors.As(err, &list))
		for i, e := range list {
			if i == 0 {
				t.Logf("%-12s %s", name, strings.TrimPrefix(e.Error(), detectPath+"/"))
			} else {
				t.Logf("%-12s %s", "", strings.TrimPrefix(e.Error(), detectPath+"/"))
			}
		}
	}
}

// samples are good texts, which are then spoilt.
var samples = []string{
	"4111111111111111", "79927398713", "ghp_abc2lScUT", "ae8b7be43", "ABCJI", "GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "0794", "236", "572", "US0378331005", "AU0000XVGZA3",
	"L898902C36", "20240229", "19000229", "240229", "000102", "192.168.0.1", "::ffff:10.0.0.1", "2001:db8::1", "10.0.0.0/8", "fe80::/10", "1:2:3:4:5:6:7:8",
	"example.com", "a-b.co.uk", "xn--bcher-kva.example", "user.name@example.com", "x@y.de", "550e8400-e29b-41d4-a716-446655440000", "{550e8400-e29b-41d4-a716-446655440000}",
	"01ARZ3NDEKTSV4RRFFQ69G5FAV", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "A12UEL5L", "+49 30 901820", "030 901820", "+1 (425) 555-0100", "0041 44 668 18 00",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0000000140000", "G123498654321H", "1079X", "07940", "11111111", "bücher.de", "παράδειγμα.δοκιμή", "a.ck", "www.ck", "city.kawasaki.jp", "de", "us", "gb", "ch", "zz", ".5", "-a1", "x-", "5.", " ",
}

// texts are samples, mutations of them, and noise.
func texts(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		return value(r, reflect.TypeFor[string]()).String()
	case 1:
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = "0123456789"[r.IntN(10)]
		}
		return string(b)
	case 2:
		return samples[r.IntN(len(samples))]
	}
	b := []byte(samples[r.IntN(len(samples))])
	for range r.IntN(3) {
		i := r.IntN(len(b) + 1)
		switch r.IntN(4) {
		case 0:
			if i < len(b) {
				b[i] = byte(r.Uint32())
			}
		case 1:
			if i < len(b) {
				b[i] = "0123456789abcXYZ.-:@/ "[r.IntN(22)]
			}
		case 2:
			b = append(b[:i:i], append([]byte(pieces[r.IntN(len(pieces))]), b[i:]...)...)
		default:
			b = b[:i]
		}
	}
	return string(b)
}

func TestChecksInTheModuleAgree(t *testing.T) {
	var names, symbols []string
	for _, n := range sortedKeys(checks) {
		if _, err := compileDetect(n); err == nil {
			names, symbols = append(names, n), append(symbols, "detect."+n)
		}
	}
	require.NotEmpty(t, names)
	source, err := compileDetect(names...)
	require.NoError(t, err)
	x := start(t, source.object, symbols...)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			f := reflect.ValueOf(checks[name])
			r := rand.New(rand.NewPCG(7, 9))
			seen := map[any]int{}
			for range 3000 {
				var args []reflect.Value
				for range f.Type().NumIn() {
					args = append(args, reflect.ValueOf(texts(r)))
				}
				want, lives := native(f, args)
				require.True(t, lives)
				got, ok := x.call(t, "detect."+name, f.Type(), args)
				require.True(t, ok, "%s(%q) faults", name, args)
				require.True(t, equal(want, got), "%s(%q): natively %v, in the module %v", name, args, want, got)
				seen[want[0]]++
			}
			assert.Greater(t, len(seen), 1, "the inputs show one result only")
		})
	}
	t.Logf("%d of %d checks compile; module %d bytes", len(names), len(checks), len(x.module.Wasm))
	for _, n := range names {
		t.Logf("%-12s %4d bytes", n, x.module.Sizes["detect."+n])
	}
}

func BenchmarkChecks(b *testing.B) {
	inputs := map[string]string{"Luhn": "4111111111111111", "IBAN": "DE89370400440532013000", "Verhoeff": "2363463463463463", "IP": "2001:db8::1", "UUID": "550e8400-e29b-41d4-a716-446655440000", "EIP55": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "YMD": "20240229"}
	for _, name := range sortedKeys(inputs) {
		source, err := compileDetect(name)
		if err != nil {
			b.Log(name, err)
			continue
		}
		x := start(b, source.object, "detect."+name)
		in := inputs[name]
		b.Run(name+"/native", func(b *testing.B) {
			f := checks[name].(func(string) bool)
			for b.Loop() {
				f(in)
			}
		})
		b.Run(name+"/wazero", func(b *testing.B) {
			f := x.m.ExportedFunction("detect." + name)
			x.m.Memory().Write(uint32(x.module.End), []byte(in))
			stack := []uint64{0, 0}
			for b.Loop() {
				stack[0], stack[1] = uint64(x.module.End), uint64(len(in))
				_ = f.CallWithStack(b.Context(), stack)
			}
			b.ReportMetric(float64(x.module.Sizes["detect."+name]), "bytes")
		})
	}
}
