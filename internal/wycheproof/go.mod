module github.com/privetdev/privet/internal/wycheproof

go 1.26.4

replace github.com/privetdev/privet => ../..

require (
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	github.com/privetdev/privet v0.0.0
)
