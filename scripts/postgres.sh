#!/bin/sh
# Runs a command beside a private PostgreSQL server that lives exactly as long as the command.
#
#   scripts/postgres.sh COMMAND [ARGUMENT...]
#
# The server listens on a free port of the loopback interface only, with default settings, on a fresh folder under
# QIANFA_TEST_FOLDER (default: TMPDIR, else /var/tmp). COMMAND finds its address in QIANFA_TEST_POSTGRES as
# postgres://USER@127.0.0.1:PORT/postgres. Where that variable is set already, or no server is installed, COMMAND just
# runs: it says by itself what it cannot do then. Nothing outlives the command, and where setpriv is there (Linux) the
# server ends with this script even where that is killed.
set -eu

if [ $# -eq 0 ]; then
    echo "usage: $0 COMMAND [ARGUMENT...]" >&2
    exit 2
fi
if [ -n "${QIANFA_TEST_POSTGRES:-}" ]; then
    exec "$@"
fi

# The folder with initdb and postgres: on PATH, or where Debian keeps the newest version.
programs=
if command -v initdb >/dev/null 2>&1 && command -v postgres >/dev/null 2>&1; then
    programs=$(dirname "$(command -v initdb)")
else
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
            programs=$folder
            break
        fi
    done
fi
if [ -z "$programs" ]; then
    echo "postgres.sh: no PostgreSQL server is installed" >&2
    exec "$@"
fi

folder=$(mktemp -d "${QIANFA_TEST_FOLDER:-${TMPDIR:-/var/tmp}}/qianfa-postgres.XXXXXX")
server=
finish() {
    trap - EXIT INT TERM HUP
    if [ -n "$server" ]; then
        # The only line of its kind: the id of our own server.
        main=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null || true)
        # SIGINT is PostgreSQL's fast shutdown.
        [ -z "$main" ] || kill -INT "$main" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# PostgreSQL refuses to run as root. SIGINT is its fast shutdown: here it comes from the system where we are gone.
as=
! setpriv --help 2>/dev/null | grep -q pdeathsig || as="setpriv --pdeathsig=INT"
if [ "$(id -u)" -eq 0 ]; then
    user=postgres
    id postgres >/dev/null 2>&1 || user=nobody
    chown "$user" "$folder"
    as="${as:-setpriv} --reuid=$user --regid=$(id -g "$user") --clear-groups"
fi

cd "$folder"
$as "$programs/initdb" --pgdata="$folder/data" --username=qianfa --auth=trust --encoding=UTF8 --locale=C \
    >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }

# A port that is free now may be taken a moment later: then the next one.
port=$((20000 + $$ % 20000))
tries=0
until [ -n "$server" ]; do
    $as "$programs/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        >"$folder/server.log" 2>&1 &
    server=$!
    waited=0
    until grep -qs "database system is ready to accept connections" "$folder/server.log"; do
        sleep 0.1
        waited=$((waited + 1))
        if ! kill -0 "$server" 2>/dev/null; then
            server=
            break
        fi
        if [ "$waited" -gt 300 ]; then
            cat "$folder/server.log" >&2
            exit 1
        fi
    done
    tries=$((tries + 1))
    port_used=$port
    port=$((port + 1))
    if [ -z "$server" ] && [ "$tries" -ge 20 ]; then
        cat "$folder/server.log" >&2
        exit 1
    fi
done

QIANFA_TEST_POSTGRES="postgres://qianfa@127.0.0.1:$port_used/postgres"
export QIANFA_TEST_POSTGRES
cd "$OLDPWD"
status=0
"$@" || status=$?
exit "$status"
