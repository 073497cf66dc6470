#!/bin/sh
# Checks every locked dependency for known flaws: `make audit`. Asks the advisory database of PyPI, by name and version.
# Ends with 0 where there is none, 1 where there are some, and 2 where the database does not tell.
set -u
cd "$(dirname "$0")/../.."
# Every other lock is a part of this one. Strict: a package of which nothing is known was not checked.
said=$(${PIP_AUDIT:-.venv/bin/pip-audit} --strict --require-hashes --disable-pip --progress-spinner off \
    -r deploy/requirements/dev.txt 2>&1)
status=$?
case $said in
    *"ound "*" known vulnerabilit"*)
        echo "$said"
        echo "Raise what is named above in pyproject.toml, then run make lock."
        exit 1 ;;
esac
if [ "$status" -ne 0 ]; then
    echo "The advisory database of PyPI does not answer for every package here, so nothing is known; run make audit where it does." >&2
    exit 2
fi
echo "$said"
