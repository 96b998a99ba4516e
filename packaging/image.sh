#!/bin/bash
# Builds the image without a container engine or a registry. The base image is made from
# Debian's packages and this machine's Go. Needs root, buildah, debootstrap.
#
#   packaging/image.sh TAG
set -eu
cd "$(dirname "$0")/.."
tag=$1
store=${DHBOT_IMAGE_STORE:-/var/tmp/dhbot-image}
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
b() { buildah --root "$store/root" --runroot "$store/run" "$@"; }
if ! b images -q localhost/dhbot-go >/dev/null 2>&1; then
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '$2=="bookworm"{print $1; exit}')
  [ -e "$store/base/usr/bin/env" ] || debootstrap --variant=minbase --include=ca-certificates bookworm "$store/base" "$mirror" >&2
  c=$(b from scratch)
  b copy -q "$c" "$store/base" / >/dev/null
  b copy -q "$c" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ >/dev/null # a proxy may have its own certificate
  b copy -q "$c" "$(go env GOROOT)" /usr/local/go >/dev/null
  b config --env PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin --env GOPATH=/go --env GOFLAGS= "$c"
  b commit -q "$c" localhost/dhbot-go >/dev/null
  b rm "$c" >/dev/null
fi
# Only Docker's format has HEALTHCHECK.
b build --format docker --build-arg GO_IMAGE=localhost/dhbot-go --build-arg VERSION="${VERSION:-}" \
  -v "$(go env GOMODCACHE):/go/pkg/mod:rw" -t "$tag" .
