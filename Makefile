# Two commands on a fresh Debian machine:
#   make demo    sets up, builds, and goes from raw tables to report.html
#   make test    sets up, builds, and runs all tests
#   make results  builds, and measures docs/results.md on the folder SAFRA_OLIST
#   make book    installs mdBook, which compiles for some minutes, and builds the guide and the reference into target/book
# SAFRA_OLIST=DIR is the folder with the public Olist files, or one with a folder of them for each of several days, of which the demo
# takes the last; without it the demo generates a marketplace.
SHELL := /bin/bash
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR
# Models say from which commit the binary was built.
SAFRA_COMMIT := $(shell git describe --always --dirty --abbrev=40 2>/dev/null)
export SAFRA_COMMIT
SAFRA := $(CARGO_TARGET_DIR)/release/safra
SAFRA_OLIST ?=
# The folder itself unless it holds others with the files.
SOURCE = $(if $(SAFRA_OLIST),$(lastword $(SAFRA_OLIST) $(sort $(dir $(wildcard $(SAFRA_OLIST)/*/olist_orders_dataset.csv)))))
DEMO ?= demo

.PHONY: setup build demo source results test book
setup:
	@scripts/setup

build: setup
	@. scripts/environment && cargo build --release --workspace

demo: build
	@mkdir -p $(DEMO)
	$(SAFRA) --lake $(DEMO)/lake --tracking $(DEMO)/mlruns run $(if $(SOURCE),--source $(SOURCE),--scale 0.2 --files $(DEMO)/marketplace) --out $(DEMO)/report.html

source:
	$(if $(SOURCE),@:,$(error SAFRA_OLIST is not set: name the folder with the public Olist files))

results: source build
	scripts/results $(SOURCE)

test: setup
	@scripts/setup-python
	@. scripts/environment && cargo nextest run --release --workspace && cargo test --release --workspace --doc

MDBOOK := .tools/bin/mdbook
$(MDBOOK):
	cargo install --quiet --locked --root .tools --no-default-features --features search mdbook

book: $(MDBOOK)
	$(MDBOOK) build docs
	@echo "target/book/index.html: written"
