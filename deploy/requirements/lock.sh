#!/bin/sh
# Writes every hashed lock from pyproject.toml: `make lock`. Needs uv. Installs use --no-deps, so that a lock is the whole truth.
set -eu
cd "$(dirname "$0")/../.."
lock() {
    out="deploy/requirements/$1.txt"; shift
    uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
        --custom-compile-command "make lock" --output-file "$out" pyproject.toml "$@"
}
overrides=deploy/requirements/overrides
lock dev --extra all --extra trace --extra train --extra bench --group dev --group build --override "$overrides-dev.txt"
pins=deploy/requirements/dev.txt
lock run --extra all --group build --constraint "$pins" --override "$overrides-run.txt"
for service in capture text audio face fusion; do
    lock "$service" --extra "$service" --extra trace --group build --constraint "$pins" --override "$overrides-run.txt"
done
