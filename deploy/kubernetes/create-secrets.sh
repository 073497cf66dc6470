#!/bin/sh
# Makes every secret that the manifests refer to: sh deploy/secrets.sh && sh deploy/kubernetes/create-secrets.sh .env
# It needs kubectl, and the Python of `make install` (or another with Mien in it, named in PYTHON).
# The certificates are yours to give: mien-rabbitmq-tls (for rabbitmq.mien.svc and the name that agents use), mien-http-tls, and
# mien-authorities with ca.crt, the authority that services and KEDA trust for RabbitMQ.
set -eu
set -a; . "./$1"; set +a
cd "$(dirname "$0")/../.."
# First of all, so that where this fails no secret is left without the others.
definitions=$("${PYTHON:-.venv/bin/python}" -m shared.broker.rabbitmq.definitions)

secret() {
    name=$1; shift
    kubectl --namespace mien create secret generic "$name" "$@" --dry-run=client --output=yaml | kubectl apply --filename=-
}

secret mien-account-text --from-literal=password="$MIEN_PASSWORD_TEXT"
secret mien-account-audio --from-literal=password="$MIEN_PASSWORD_AUDIO"
secret mien-account-face --from-literal=password="$MIEN_PASSWORD_FACE"
secret mien-account-fusion --from-literal=password="$MIEN_PASSWORD_FUSION"
secret mien-account-observer --from-literal=tls=enable \
    --from-literal=url="amqps://mien-observer:$MIEN_PASSWORD_OBSERVER@rabbitmq.mien.svc:5671/%2F"
secret mien-redis --from-literal=password="$REDIS_PASSWORD" --from-literal=url="redis://:$REDIS_PASSWORD@redis.mien.svc:6379/0"
secret mien-api-keys --from-literal=digests="$FUSION_API_KEYS"
secret mien-definitions --from-literal=definitions.json="$definitions"
