module github.com/privetdev/privet/retention/holidays

go 1.26

require github.com/rickar/cal/v2 v2.1.13

require github.com/privetdev/privet v0.0.0

replace github.com/privetdev/privet => ../..
