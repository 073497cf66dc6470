#!/bin/sh
# Checks every locked dependency for known flaws: `make audit`. Asks the advisory database of PyPI, by name and version.
# Ends with 0 where there is none, 1 where there are some, and 2 where the database does not answer.
set -u
cd "$(dirname "$0")/../.."
audit=${PIP_AUDIT:-.venv/bin/pip-audit}
# Every other lock is a part of these two.
for lock in run dev; do
    echo "$lock …"
    if said=$($audit --require-hashes --disable-pip --progress-spinner off -r "deploy/requirements/$lock.txt" 2>&1); then
        echo "$said"
        continue
    fi
    case $said in
        *"ound "*" known vulnerabilit"*)
            echo "$said"
            echo "Raise what is named above in pyproject.toml, then run make lock."
            exit 1 ;;
    esac
    echo "The advisory database of PyPI does not answer here, and nothing was checked; run make audit where it does." >&2
    exit 2
done
