#!/bin/sh
# Installs what the tests need where it is missing (Debian packages, and packages of Python into target/), then runs
# them all. They start a PostgreSQL of their own by scripts/postgres.sh, and fail without one. Arguments go to
# `cargo test`.
set -eu
cd "$(dirname "$0")"

missing=
need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need make make
need perl perl
need pdfsig poppler-utils
need zbarimg zbar-tools
need qpdf qpdf
need chromium chromium
need setpriv util-linux
need python3 python3
python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
# Pages are looked at with Chinese letters.
fc-list :lang=zh 2>/dev/null | grep -q . || missing="$missing fonts-noto-cjk fontconfig"

if [ -n "$missing" ]; then
    as=
    [ "$(id -u)" -eq 0 ] || as=sudo
    echo "test.sh: installing$missing"
    $as apt-get update -q
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $as apt-get install -q -y --no-install-recommends $missing
fi

sh scripts/python-tests.sh
exec cargo test --workspace --locked "$@"
