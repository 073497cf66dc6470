#!/bin/sh
# Writes the passwords of a new deployment to .env, for nobody but its owner to read: sh deploy/secrets.sh
set -eu
umask 077
cd "$(dirname "$0")/.."
if [ -e .env ]; then
    echo "There is a .env already, and what runs with its passwords would not know new ones: move it away first." >&2
    exit 1
fi
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

{
    for role in AGENT TEXT AUDIO FACE FUSION OBSERVER; do echo "MIEN_PASSWORD_$role=$(random)"; done
    echo "REDIS_PASSWORD=$(random)"
    echo "GRAFANA_PASSWORD=$(random)"
    key=$(random)
    echo "# Whoever has this key may create sessions (X-API-Key); the service is given its digest alone."
    echo "# MIEN_API_KEY=$key"
    echo "FUSION_API_KEYS=$(printf %s "$key" | sha256sum | cut -d' ' -f1)"
} > .env
