#!/bin/sh
# Makes sure that the tests can start RabbitMQ, Redis, a browser, a screen and a sound server of their own, and have the
# tools that bend clocks and check alerts: installs Debian's packages where that is possible.
set -eu
PATH="$PATH:/usr/sbin:/usr/local/sbin"

missing=""
if [ -z "${MIEN_TEST_AMQP_URL:-}" ] && ! command -v rabbitmq-server >/dev/null; then missing="$missing rabbitmq-server"; fi
if [ -z "${MIEN_TEST_REDIS_URL:-}" ] && ! command -v redis-server >/dev/null; then missing="$missing redis-server"; fi
if ! command -v chromium >/dev/null; then missing="$missing chromium"; fi
if ! command -v faketime >/dev/null; then missing="$missing faketime"; fi
if ! command -v promtool >/dev/null; then missing="$missing prometheus"; fi
if ! command -v ip >/dev/null; then missing="$missing iproute2"; fi
if ! command -v Xvfb >/dev/null; then missing="$missing xvfb"; fi
if command -v python3.11 >/dev/null && ! python3.11 -c "import tkinter" 2>/dev/null; then missing="$missing python3-tk"; fi
if ! command -v pulseaudio >/dev/null || ! command -v paplay >/dev/null; then missing="$missing pulseaudio pulseaudio-utils"; fi
# PortAudio records through ALSA, and ALSA through its plugin for PulseAudio.
for library in libportaudio2:libportaudio.so.2 libasound2-plugins:alsa-lib/libasound_module_pcm_pulse.so; do
    ls /usr/lib/*/"${library#*:}" >/dev/null 2>&1 || missing="$missing ${library%%:*}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing (the tests start private instances on loopback) …"
    # Run level 1 keeps the packages from starting system services: the tests want private ones.
    export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "Not on this machine:$missing. Install them, or set MIEN_TEST_AMQP_URL and MIEN_TEST_REDIS_URL for the servers; until then the tests that need them skip." >&2
