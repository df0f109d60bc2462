# The commands of this repository. Cargo and the scripts in tools/ do the work.

# Arguments for the program: make run ARGS='--help'
ARGS ?=

.PHONY: help run test torture bench check sbom

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

run: ## start both services with a private Redis; Ctrl-C ends them
	@tools/run $(ARGS)

test: ## install what is missing and run all tests, Rust and Python
	@tools/test

torture: ## inject faults for an hour (TORTURE_SECONDS) while clients register
	@tools/torture

bench: ## measure performance: a release build, then at most 5 minutes
	@cargo build --release -p admin-service -p user-service -p bench
	@PATH="$$PATH:$$(dirname "$$(tools/need-redis)")" "$${CARGO_TARGET_DIR:-target}/release/bench" $(ARGS)

check: ## check format, lints, contract, documentation and dependencies
	@tools/check

sbom: ## write the bill of materials of each binary, target/sbom/<binary>.cdx.json
	@tools/sbom
