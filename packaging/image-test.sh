#!/bin/bash
# Plays the demo's story in an image that image.sh has built, as the image's user and with
# only the image's own files.
#
#   packaging/image-test.sh TAG
set -eu
cd "$(dirname "$0")/.."
store=${DHBOT_IMAGE_STORE:-/var/tmp/dhbot-image}
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
b() { buildah --root "$store/root" --runroot "$store/run" "$@"; }
b inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Healthcheck}}' "$1" | grep -q '^65532:65532 .*health --live'
c=$(b from "$1")
trap 'b rm "$c" >/dev/null' EXIT
b run "$c" -- /bot --version
b run -v "$PWD/demo.story:/demo.story:ro" "$c" -- /bot demo --pace 0.3 --script /demo.story | tail -n 3
