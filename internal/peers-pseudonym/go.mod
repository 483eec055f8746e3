module github.com/privetdev/privet/internal/peers-pseudonym

go 1.26.0

replace github.com/privetdev/privet => ../..

require (
	github.com/privetdev/privet v0.0.0
	github.com/stretchr/testify v1.12.1
	github.com/tink-crypto/tink-go/v2 v2.9.0
)

require (
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/crypto v0.53.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
