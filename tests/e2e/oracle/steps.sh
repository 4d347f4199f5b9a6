#!/bin/sh
# Written for fromager's steps; nothing in it knows which program it runs. $1: the program. $2: index of sdists.
set -e
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH
program=$1
for dist in counted-backend compiled; do
    "$program" step download-source-archive "$dist" 1.0 "$2"
    "$program" step prepare-source "$dist" 1.0
    "$program" step prepare-build "$dist" 1.0
    "$program" step build-sdist "$dist" 1.0
    wheel=$("$program" step build-wheel --wheel-server-url "" "$dist" 1.0)
    echo "$wheel"
    mkdir -p wheels-repo/downloads
    mv "$wheel" wheels-repo/downloads/
done
