#!/bin/sh
# Makes the Python environment of tests/openapi in target/python-tests, unless it is there with the same versions.
set -eu
cd "$(dirname "$0")/.."

wanted=tests/openapi/requirements.txt
made=target/python-tests
if cmp -s "$wanted" "$made/requirements.txt"; then
    exit 0
fi
echo "python-tests.sh: making $made"
rm -rf "$made"
mkdir -p target
python3 -m venv "$made"
"$made/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$wanted"
# Written last: an environment that was made by halves is made again.
cp "$wanted" "$made/requirements.txt"
