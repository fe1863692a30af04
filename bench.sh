#!/bin/sh
# Measures the release build on this machine and prints one table: ./bench.sh [--json] [--requests N] [--connections N]
# [--rounds N] [--help]. The databases lie in a fresh folder under TMPDIR (default: /var/tmp, since /tmp may be memory).
set -eu
cd "$(dirname "$0")"
TMPDIR=${TMPDIR:-/var/tmp}
export TMPDIR
cargo build --release --quiet -p qianfa -p workload
exec scripts/postgres.sh cargo run --release --quiet -p workload -- "$@"
