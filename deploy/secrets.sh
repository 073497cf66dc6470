#!/bin/sh
# Prints the passwords of a new deployment, once: sh deploy/secrets.sh > .env (compose reads that; kubernetes/create-secrets.sh too).
set -eu
umask 077
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

for role in AGENT TEXT AUDIO FACE FUSION OBSERVER; do echo "MIEN_PASSWORD_$role=$(random)"; done
echo "REDIS_PASSWORD=$(random)"
echo "GRAFANA_PASSWORD=$(random)"
key=$(random)
echo "# Whoever has this key may create sessions (X-API-Key); the service is given its digest alone."
echo "# MIEN_API_KEY=$key"
echo "FUSION_API_KEYS=$(printf %s "$key" | sha256sum | cut -d' ' -f1)"
