#!/bin/sh
# Puts the secret where no list of processes shows it, and starts coturn. Several secrets, separated by blanks, are all
# taken: rotation in docs/operations.md. EXTERNAL_IP is the machine's public address where that is not its own.
set -eu
: "${CONFIG:=/etc/fenghuo-turn}" "${SECRETS:=/run/secrets/coturn}" "${RUN:=/run/turn}"
umask 077
cp "$CONFIG/turnserver.conf" "$RUN/turnserver.conf"
for secret in $(cat "$SECRETS/TURN_SECRET"); do echo "static-auth-secret=$secret" >>"$RUN/turnserver.conf"; done
# Asks a public service, with the image's own script; on a machine that has its public address itself, that address.
address=${EXTERNAL_IP:-$(detect-external-ip 2>/dev/null || true)}
[ -z "$address" ] || echo "external-ip=$address" >>"$RUN/turnserver.conf"
exec turnserver -c "$RUN/turnserver.conf" "$@"
