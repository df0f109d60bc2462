# What one types in this repository. The work is done by cargo and by the scripts in tools/.

# Arguments for the program: make run ARGS='--help'
ARGS ?=

.PHONY: help run test bench check

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

run: ## start both services with a private Redis; Ctrl-C ends them
	@tools/run $(ARGS)

test: ## run all tests, Rust and Python, after installing what they need
	@tools/test

bench: ## run the benchmarks
	@cargo bench --workspace

check: ## check format, lints, the contract, the documentation and the dependencies
	@tools/check
