# make demo         build, start a server with a real catalogue in it, and say what to look at
# make test         all tests, with the clients and databases they need
# make bench        how fast an import is, beside its floors
# make tools        install what the tests need
# make screenshots  the README's pictures, taken anew

BUILD_PACKAGES = gcc libc6-dev libclang-dev libssl-dev libxml2-dev pkg-config
TEST_PACKAGES  = chromium fonts-dejavu-core g++ gsoap libgsoap-dev php-cli php-soap postgresql procps python3 python3-zeep

.PHONY: demo test bench tools screenshots

demo:
	@scripts/need $(BUILD_PACKAGES)
	@scripts/demo

test: tools
	cargo test --workspace --locked

bench:
	@scripts/need $(BUILD_PACKAGES)
	cargo bench --locked --bench import

tools:
	@scripts/need $(BUILD_PACKAGES) $(TEST_PACKAGES)

screenshots: tools
	SCREENSHOTS=docs/screenshots cargo test --locked --test end_to_end -- navigator::pages_in_a_browser
