#!/usr/bin/env bash
# Runs every test, on SQLite and on PostgreSQL. A fresh Debian machine with a Rust toolchain and a C compiler is
# enough: what else is needed is installed, and PostgreSQL runs privately in a temporary folder.
set -euo pipefail
cd "$(dirname "$0")"

# Program (or pattern of paths) and the Debian package that brings it.
needed=(
    "perl:perl"
    "make:make"
    "pdftotext:poppler-utils"
    "pdfsig:poppler-utils"
    "zbarimg:zbar-tools"
    "qpdf:qpdf"
    "chromium:chromium"
)

postgres_bin() {
    local initdb
    initdb="$(command -v initdb || true)"
    if [ -z "$initdb" ]; then
        initdb="$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)"
    fi
    [ -n "$initdb" ] && dirname "$initdb"
}

install_missing() {
    local missing=() entry
    for entry in "${needed[@]}"; do
        command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
    done
    [ -n "$(postgres_bin || true)" ] || missing+=(postgresql)
    [ "${#missing[@]}" -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "test.sh: please install: ${missing[*]}" >&2
        exit 1
    fi
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update
    # The package would start a cluster of its own, which nobody here needs.
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        $(printf '%s\n' "${missing[@]}" | sort -u)
}

install_missing

work="$(mktemp -d)"
bin="$(postgres_bin)"

# PostgreSQL refuses to run as root: an ordinary user runs it then.
as_user() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    elif command -v runuser >/dev/null; then
        runuser -u postgres -- "$@"
    else
        su postgres -s /bin/sh -c 'exec "$0" "$@"' -- "$@"
    fi
}

stop_cluster() {
    as_user "$bin/pg_ctl" -D "$work/cluster" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop_cluster EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
    chown postgres "$work"
fi

free_port() {
    local port
    for port in $(shuf -i 20000-60000 -n 50); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

(
    cd "$work"
    as_user "$bin/initdb" -D "$work/cluster" -U postgres -A trust -E UTF8 --locale=C >"$work/initdb.log" 2>&1 \
        || { cat "$work/initdb.log" >&2; exit 1; }
    started=no
    for _ in 1 2 3; do
        port="$(free_port)"
        # Durability is the subject of other tests; here the cluster is thrown away.
        if as_user "$bin/pg_ctl" -D "$work/cluster" -w -t 60 -l "$work/cluster/log" -o \
            "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c fsync=off -c max_connections=400" \
            start >/dev/null; then
            echo "$port" >"$work/port"
            started=yes
            break
        fi
    done
    [ "$started" = yes ] || { as_user cat "$work/cluster/log" >&2; exit 1; }
)

export QIANFA_TEST_POSTGRES="postgres://postgres@127.0.0.1:$(cat "$work/port")/postgres"
# pg_dump and pg_restore of the cluster's own version.
export PATH="$bin:$PATH"
cargo test --workspace --locked "$@"
