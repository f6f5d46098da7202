# make test    everything that needs Rust and PostgreSQL's binaries (apt-get install postgresql)
# make check   format, lints, features, docs, licences
# make judges  outside judges: foreign SDKs, by base URL, by TLS and through the proxy
# make browser the mirror's console in Chromium
# make fuzz    each fuzz target for FUZZ_SECONDS; see fuzz/README.md
# make bench   the figures, with their bars
# make chaos   campaigns under fire for longer: 600 workers killed; see tests/chaos/main.rs

CARGO ?= cargo

.PHONY: test check judges browser fuzz bench chaos features

test:
	$(CARGO) test --workspace --locked

check: features
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing; get it with: cargo install cargo-deny --locked"; exit 1; }
	$(CARGO) deny --locked check bans licenses sources

# Each backend alone, with and without its transport; rustcrypto alone must build where there is no C compiler.
features:
	$(CARGO) check -p favor-core --locked --no-default-features --features aws-lc
	$(CARGO) check -p favor-core --locked --no-default-features --features aws-lc,reqwest
	CC=/bin/false CARGO_TARGET_DIR=target/pure $(CARGO) check -p favor --locked --no-default-features --features rustcrypto
	CC=/bin/false CARGO_TARGET_DIR=target/pure $(CARGO) check -p favor-core --locked --no-default-features --features rustcrypto,reqwest-no-provider
	$(CARGO) check -p favor-callback --locked --no-default-features --features aws-lc,axum
	$(CARGO) check -p favor-callback --locked --no-default-features --features rustcrypto,tower
	$(CARGO) check -p favor-callback --locked --no-default-features --features aws-lc,sqlite
	$(CARGO) check -p favor-callback --locked --no-default-features --features aws-lc,postgres
	$(CARGO) check -p favor-campaign --locked --no-default-features --features aws-lc
	$(CARGO) check -p favor-campaign --locked --no-default-features --features aws-lc,sqlite
	$(CARGO) check -p favor-campaign --locked --no-default-features --features rustcrypto,postgres
	$(CARGO) check -p favor-card --locked --no-default-features --features rustcrypto
	$(CARGO) check -p favor-card --locked --no-default-features --features aws-lc,axum
	$(CARGO) check -p favor-card --locked --no-default-features --features aws-lc,postgres
	$(CARGO) check -p favor --locked --features postgres,card
	$(CARGO) check -p favor-store --locked --no-default-features
	$(CARGO) check -p favor-store --locked --no-default-features --features postgres,testing
	$(CARGO) test -p favor-core --locked --no-default-features --features rustcrypto --lib --test it
	$(CARGO) test -p favor-core --locked --no-default-features --features aws-lc --lib --test it

judges:
	@command -v npm >/dev/null || { echo "npm is missing; get it with: apt-get install npm"; exit 1; }
	$(CARGO) build --locked
	cd tests/interop/node && npm ci --no-fund --no-audit && npm test
	@command -v python3 >/dev/null || { echo "python3 is missing; get it with: apt-get install python3 python3-venv"; exit 1; }
	@python3 -c "import ensurepip" || { echo "python3 cannot make environments; get that with: apt-get install python3-venv"; exit 1; }
	cd tests/interop/python && python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt && .venv/bin/python -m unittest -v

CHROMIUM ?= /usr/bin/chromium
browser:
	@command -v npm >/dev/null || { echo "npm is missing; get it with: apt-get install npm"; exit 1; }
	@test -x $(CHROMIUM) || { echo "$(CHROMIUM) is missing; get it with: apt-get install chromium, or say where it is: make browser CHROMIUM=…"; exit 1; }
	$(CARGO) build --locked
	cd tests/browser && npm ci --no-fund --no-audit && CHROMIUM=$(CHROMIUM) npm test

FUZZ_SECONDS ?= 20
fuzz:
	FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz/run

bench:
	$(CARGO) bench --locked --bench overhead -- --check
	$(CARGO) bench --locked --bench overhead -- --memory --check
	$(CARGO) bench --locked --bench flow_download -- --check
	$(CARGO) bench --locked --bench flow_rows -- --check
	$(CARGO) bench --locked --bench callback -- --check
	$(CARGO) bench --locked --bench inbox -- --check
	$(CARGO) bench --locked --bench mirror -- --check
	$(CARGO) bench --locked --bench campaign_send -- --check
	$(CARGO) bench --locked --bench campaign_scale -- --check
	$(CARGO) run --release --locked -p favor-mirror --example start -- --check

chaos:
	FAVOR_CHAOS_KILLS=$${FAVOR_CHAOS_KILLS:-300} $(CARGO) test --locked -p favor --test chaos -- under_fire
