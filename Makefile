# make demo         build, start a server with a real catalogue in it, and say what to look at
# make test         all tests, with the clients and databases they need
# make bench        how fast an import is, beside its floors; the services, on both databases; and the pages
# make interop      every SOAP client of docs/interop.md, built and tried
# make fuzz         fuzz whatever reads what others send, a minute each (FUZZ_SECONDS, FUZZ_RUNS, FUZZ_TARGETS)
# make tools        install what the tests need
# make screenshots  the README's pictures, taken anew

BUILD_PACKAGES = gcc libc6-dev libclang-dev libssl-dev libxml2-dev pkg-config
TEST_PACKAGES  = chromium chromium-driver curl faketime fonts-dejavu-core g++ gsoap libgsoap-dev openssl php-cli php-soap postgresql procps \
	python3 python3-xmlsec python3-zeep xmlsec1 zlib1g-dev

README_PICTURES = $(shell sed -n 's|.*docs/screenshots/\([a-z-]*\)\.png.*|\1|p' README.md)

.PHONY: demo test bench interop fuzz tools screenshots

demo:
	@scripts/need $(BUILD_PACKAGES)
	@scripts/demo

test: tools
	cargo test --workspace --locked

bench:
	@scripts/need $(BUILD_PACKAGES) postgresql
	cargo bench --locked --bench import --bench domain --bench pages

interop: tools
	scripts/interop

FUZZ_SECONDS ?= 60
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
COVERAGE = -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1

# One of them alone: make fuzz FUZZ_TARGETS=path
FUZZ_TARGETS ?= $(patsubst fuzz/seeds/%,%,$(wildcard fuzz/seeds/*))
# Executions of each; -1: as many as the seconds allow.
FUZZ_RUNS ?= -1

fuzz:
	@scripts/need $(BUILD_PACKAGES) g++
	mkdir -p $(addprefix target/fuzz/corpus/,$(FUZZ_TARGETS))
	RUSTFLAGS="$(COVERAGE)" cargo build --release --locked --manifest-path fuzz/Cargo.toml \
		--target $(HOST) --target-dir target/fuzz $(addprefix --bin ,$(FUZZ_TARGETS))
	for target in $(FUZZ_TARGETS); do \
		target/fuzz/$(HOST)/release/$$target -max_total_time=$(FUZZ_SECONDS) -runs=$(FUZZ_RUNS) -timeout=20 -rss_limit_mb=2048 \
			-max_len=65536 -artifact_prefix=target/fuzz/ target/fuzz/corpus/$$target fuzz/seeds/$$target || exit 1; \
	done

tools:
	@scripts/need $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@scripts/axe

screenshots: tools
	cargo test --locked --test end_to_end -- navigator::journeys
	for picture in $(README_PICTURES); do cp "target/screenshots/$$picture.png" docs/screenshots/; done
