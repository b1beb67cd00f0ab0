# make dist: static binaries with checksums, in dist/.
VERSION := $(shell sed -n 's/^const version = "\(.*\)"/\1/p' cmd/shoal/*.go)
SYSTEMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 freebsd/amd64

.PHONY: dist
dist:
	rm -rf dist && mkdir dist
	for system in $(SYSTEMS); do \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} \
		go build -trimpath -ldflags "-s -w" -o dist/shoal-$(VERSION)-$${system%/*}-$${system#*/} ./cmd/shoal || exit 1; \
	done
	cd dist && sha256sum * > SHA256SUMS
	cat dist/SHA256SUMS
