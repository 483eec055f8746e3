module github.com/privetdev/privet/internal/gentables-unicode

go 1.26.0

require (
	github.com/privetdev/privet v0.0.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/text v0.22.0
)

require go.yaml.in/yaml/v3 v3.0.6 // indirect

replace github.com/privetdev/privet => ../..
