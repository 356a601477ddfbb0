#!/bin/sh
# Runs a command, or node where the arguments are a script or node's options.
set -eu
case "${1:-}" in
-* | *.js | *.mjs | *.cjs) set -- node "$@" ;;
*) command -v "${1:-node}" >/dev/null || set -- node "$@" ;;
esac
exec "$@"
