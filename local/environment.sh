#!/bin/sh
# Make the Python environment in the folder $1 from requirements-dev.txt, with nothing on the machine but Python.
#
# uv installs it; a machine without uv gets it from PyPI, in the version and with the hash that the lock file names.
set -eu
venv=$1
cd "$(dirname "$0")/.."

# Two of us at once would be in each other's way.
if [ -z "${MAKING_ENVIRONMENT:-}" ] && command -v flock >/dev/null; then
  MAKING_ENVIRONMENT=1 exec flock "$venv.lock" local/environment.sh "$venv"
fi
if [ -e "$venv/.complete" ] && [ -z "$(find requirements-dev.txt pyproject.toml local/environment.sh -newer "$venv/.complete")" ]; then
  exit 0
fi

say() { printf '%s\n' "$*" >&2; }

good_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.14 python3.11}; do
  if command -v "$candidate" >/dev/null && good_enough "$candidate"; then
    python=$(command -v "$candidate")
    break
  fi
done
if [ -z "$python" ]; then
  say "No Python 3.11 or later found${PYTHON:+ as $PYTHON}: install one, or name it: make PYTHON=/path/to/python3"
  exit 2
fi

if command -v uv >/dev/null; then
  uv=uv
else
  uv=$venv-uv/bin/uv
  if [ ! -x "$uv" ]; then
    say "· uv, which installs the rest"
    rm -rf "$venv-uv"
    mkdir -p "$venv-uv"
    awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' requirements-dev.txt >"$venv-uv/requirements.txt"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
      "$python" -m venv "$venv-uv"
      "$venv-uv/bin/python" -m pip install --quiet --no-deps --require-hashes -r "$venv-uv/requirements.txt"
    elif "$python" -m pip --version >/dev/null 2>&1; then
      "$python" -m pip install --quiet --no-deps --require-hashes --target "$venv-uv" -r "$venv-uv/requirements.txt"
    else
      rm -rf "$venv-uv"
      say "This Python brings neither pip nor venv: install one of them (Debian, Ubuntu: apt-get install python3-venv)"
      exit 2
    fi
  fi
fi

say "· $("$python" --version) in $venv, from requirements-dev.txt"
UV_PYTHON_DOWNLOADS=never
export UV_PYTHON_DOWNLOADS
rm -f "$venv/.complete"
"$uv" venv --quiet --allow-existing --python "$python" "$venv"
"$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes requirements-dev.txt
"$uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation --editable .
touch "$venv/.complete"
