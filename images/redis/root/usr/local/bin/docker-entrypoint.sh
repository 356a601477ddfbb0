#!/bin/sh
# Starts redis-server with options or a configuration file as arguments, as
# the user redis, and runs any other command as it is.
set -eu

case "${1:-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac

if [ "${1:-}" != redis-server ]; then
	exec "$@"
fi

if [ "$(id -u)" = 0 ]; then
	find . \! -user redis -exec chown redis:redis '{}' +
	exec setpriv --reuid=redis --regid=redis --init-groups -- "$0" "$@"
fi

# What Redis writes is for Redis alone, unless somebody says otherwise.
if [ "$(umask)" = 0022 ]; then
	umask 0077
fi

# Without a password and outside a container, Redis answers its own host only.
# A container has nobody else on its loopback, so that is off unless the
# configuration or a later option speaks of it.
shift
config=
case "${1:-}" in
-* | '') ;;
*)
	config=$1
	shift
	;;
esac
if [ -z "$config" ]; then
	exec redis-server --protected-mode no "$@"
elif grep -qsiE '^[[:space:]]*protected-mode' "$config"; then
	exec redis-server "$config" "$@"
else
	exec redis-server "$config" --protected-mode no "$@"
fi
