# What one types in this repository. The work is done by cargo and by the scripts in tools/.

# Arguments for the program: make run ARGS='--help'
ARGS ?=

.PHONY: help run test torture bench check

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

run: ## start both services with a private Redis; Ctrl-C ends them
	@tools/run $(ARGS)

test: ## run all tests, Rust and Python, after installing what they need
	@tools/test

torture: ## kill and break everything for an hour, or TORTURE_SECONDS, while clients register
	@tools/torture

bench: ## measure how fast it is: at most 5 minutes, after a release build
	@cargo build --release -p admin-service -p user-service -p bench
	@PATH="$$PATH:$$(dirname "$$(tools/need-redis)")" "$${CARGO_TARGET_DIR:-target}/release/bench" $(ARGS)

check: ## check format, lints, the contract, the documentation and the dependencies
	@tools/check
