#!/bin/sh
# Writes the shell completions into a directory.
set -e
mkdir -p "$1"
for shell in bash zsh fish; do go run ./cmd/bot completion "$shell" >"$1/bot.$shell"; done
