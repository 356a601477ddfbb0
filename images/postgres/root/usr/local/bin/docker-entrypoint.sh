#!/bin/bash
# Starts PostgreSQL with options as arguments, as the user postgres, and makes
# the database first where there is none. Any other command runs as it is.
#
# Environment, each but PGDATA also as NAME_FILE, the path of a file with the
# value:
#   POSTGRES_PASSWORD          of the superuser; needed to make a database
#   POSTGRES_USER              the superuser's name (postgres)
#   POSTGRES_DB                a database to create (the superuser's name)
#   POSTGRES_INITDB_ARGS       more arguments of initdb
#   POSTGRES_INITDB_WALDIR     where the write-ahead log goes
#   POSTGRES_HOST_AUTH_METHOD  how remote users prove who they are (scram-sha-256);
#                              trust needs no password
#   PGDATA                     where the data is
#
# Files in /docker-entrypoint-initdb.d run once, in order, when the database is
# made: *.sh, *.sql and *.sql.gz.
set -euo pipefail
shopt -s nullglob

initdb_d=/docker-entrypoint-initdb.d

# unfinished marks a data directory whose making has not come to its end. A
# container that is killed meanwhile starts over; nobody but this script has
# been able to connect by then.
unfinished=$PGDATA/.zr-initializing

fail() {
	printf 'postgres: %s\n' "$@" >&2
	exit 1
}

note() { printf 'postgres: %s\n' "$1"; }

# value NAME [DEFAULT]: sets NAME from NAME_FILE where that is given.
value() {
	local name=$1 file=$1_FILE
	if [[ -n ${!name:-} && -n ${!file:-} ]]; then
		fail "$name and $file are both set; one is enough"
	fi
	if [[ -n ${!file:-} ]]; then
		[[ -r ${!file} ]] || fail "$file: cannot read ${!file}"
		printf -v "$name" '%s' "$(<"${!file}")"
	fi
	printf -v "$name" '%s' "${!name:-${2:-}}"
	export "${name?}"
	unset "$file"
}

read_environment() {
	value POSTGRES_PASSWORD
	value POSTGRES_USER postgres
	value POSTGRES_DB "$POSTGRES_USER"
	value POSTGRES_INITDB_ARGS
	value POSTGRES_INITDB_WALDIR
	value POSTGRES_HOST_AUTH_METHOD
	if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
		fail 'there is no database yet, and the superuser of a new one needs a password:' \
			'set POSTGRES_PASSWORD to anything that is not empty, or POSTGRES_HOST_AUTH_METHOD=trust' \
			'to let everybody in who can connect'
	fi
}

# take_over makes what PostgreSQL writes to belong to its user. Root only.
take_over() {
	mkdir -p "$PGDATA" /var/run/postgresql
	chmod 03775 /var/run/postgresql || :
	find "$PGDATA" \! -user postgres -exec chown postgres:postgres '{}' +
	find /var/run/postgresql \! -user postgres -exec chown postgres:postgres '{}' + || :
	if [[ -n ${POSTGRES_INITDB_WALDIR:-} ]]; then
		mkdir -p "$POSTGRES_INITDB_WALDIR"
		chown -R postgres:postgres "$POSTGRES_INITDB_WALDIR"
		chmod 0700 "$POSTGRES_INITDB_WALDIR"
	fi
}

# make_cluster makes the data directory. initdb wants an empty folder, so it
# gets one inside, whose content then moves up behind the mark.
make_cluster() {
	local new=$PGDATA/.zr-new
	if [[ -e $unfinished ]]; then
		note 'an earlier start was stopped while it made the database: starting over'
		find "$PGDATA" -mindepth 1 -maxdepth 1 \! -path "$unfinished" -exec rm -rf '{}' +
	fi
	rm -rf "$new"
	local arguments=(--pgdata="$new" --username="$POSTGRES_USER" --no-sync --no-instructions)
	if [[ -n $POSTGRES_INITDB_WALDIR ]]; then
		arguments+=(--waldir="$POSTGRES_INITDB_WALDIR")
	fi
	if [[ -n $POSTGRES_PASSWORD ]]; then
		arguments+=(--pwfile=/dev/stdin)
	fi
	# POSTGRES_INITDB_ARGS is a list of arguments, quoted as for a shell.
	printf '%s\n' "$POSTGRES_PASSWORD" | eval "initdb \"\${arguments[@]}\" $POSTGRES_INITDB_ARGS"

	local method=$POSTGRES_HOST_AUTH_METHOD
	printf '\nhost all all all %s\n' "${method:-scram-sha-256}" >>"$new/pg_hba.conf"
	: >"$unfinished"
	find "$new" -mindepth 1 -maxdepth 1 -exec mv -t "$PGDATA" '{}' +
	rmdir "$new"
}

# single feeds SQL to the data directory without starting a server.
single() {
	postgres --single -j -D "$PGDATA" -c log_min_messages=error "$@" >/dev/null
}

create_database() {
	if [[ $POSTGRES_DB != postgres ]]; then
		printf 'CREATE DATABASE "%s";\n' "${POSTGRES_DB//\"/\"\"}" | single postgres
	fi
}

# run_sql is psql against the server that only init scripts can reach.
run_sql() {
	PGHOST=$socket_dir PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password \
		--username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"
}

run_init_files() {
	local file
	export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
	for file in "$@"; do
		case $file in
		*.sh)
			if [[ -x $file ]]; then
				note "running $file"
				"$file"
			else
				note "sourcing $file"
				# shellcheck disable=SC1090
				. "$file"
			fi
			;;
		*.sql)
			note "running $file"
			run_sql --file="$file"
			;;
		*.sql.gz)
			note "running $file"
			gunzip -c "$file" | run_sql
			;;
		*) note "ignoring $file" ;;
		esac
	done
	unset PGPASSWORD
}

# writable_socket_dir prints where a socket can be: with a read-only root file
# system, the usual folder may be none.
writable_socket_dir() {
	local dir
	for dir in /var/run/postgresql /tmp "$PGDATA"; do
		if [[ -d $dir && -w $dir ]]; then
			printf '%s' "$dir"
			return
		fi
	done
	fail "none of /var/run/postgresql, /tmp and $PGDATA can be written to"
}

initialise() {
	read_environment
	make_cluster
	create_database
	local files=("$initdb_d"/*)
	if ((${#files[@]} > 0)); then
		socket_dir=$(writable_socket_dir)
		export PGHOST=$socket_dir
		pg_ctl -D "$PGDATA" -w -s -o "-c listen_addresses='' -c unix_socket_directories='$socket_dir' -p ${PGPORT:-5432}" start
		run_init_files "${files[@]}"
		pg_ctl -D "$PGDATA" -m fast -w -s stop
		unset PGHOST
	fi
	sync -f "$PGDATA"
	rm "$unfinished"
	note 'the database is made'
}

case "${1:-}" in
-*) set -- postgres "$@" ;;
esac
if [[ ${1:-} != postgres ]]; then
	exec "$@"
fi
for argument in "$@"; do
	case $argument in
	-\? | --help | --describe-config | -V | --version) exec "$@" ;;
	esac
done

if [[ $(id -u) = 0 ]]; then
	take_over
	exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi

# PostgreSQL insists on this mode, and a fsGroup changes it with each mount.
mkdir -p "$PGDATA"
chmod 0700 "$PGDATA" 2>/dev/null || :

if [[ ! -s $PGDATA/PG_VERSION || -e $unfinished ]]; then
	initialise
fi
if [[ ! -w /var/run/postgresql ]]; then
	shift
	set -- postgres -c "unix_socket_directories=$(writable_socket_dir)" "$@"
fi
exec "$@"
