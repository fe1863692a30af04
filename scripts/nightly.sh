#!/bin/sh
# What takes too long for every change: ten thousand flipped bits of database, files, copies and documents, and servers
# that are killed in the middle of their work, a thousand times on SQLite and two hundred times on PostgreSQL; and forty
# minutes of generated requests.
# The same tests run in ./test.sh with a few rounds. Figures of the environment win over those here.
set -eu
cd "$(dirname "$0")/.."
export NIGHTLY_FLIPS="${NIGHTLY_FLIPS:-10000}"
export NIGHTLY_KILLS_SQLITE="${NIGHTLY_KILLS_SQLITE:-1000}"
export NIGHTLY_KILLS_POSTGRES="${NIGHTLY_KILLS_POSTGRES:-200}"
sh scripts/postgres.sh cargo test --workspace --locked --test it -- \
    --nocapture flips:: kill:: every_damage_of_a_copy
# Requests that are made from the API's document, ten minutes for each of two roles on each database.
NIGHTLY_GENERATED="${NIGHTLY_GENERATED:-600}" sh scripts/postgres.sh cargo test --workspace --locked --test it -- generated_requests
# Documents are verified at every 31st byte where the code is optimised.
exec cargo test --release --locked -p documents -- flipped every_byte
