#!/bin/sh
# Before this pod's Redis is stopped in order: if it is the master, another becomes it first.
#   PEERS  all pods by name; SELF  this one
: "${SECRETS:=/run/secrets/redis}" "${PORT:=6379}" "${SENTINEL_PORT:=26379}"

role() {
  password=$(sed -n 's/^sentinel auth-pass mymaster //p' "$SECRETS/sentinel_auth.conf")
  REDISCLI_AUTH=$password timeout 2 redis-cli -h "$SELF" -p "$PORT" --user sentinel role 2>/dev/null | head -n 1
}

sentinel() { # of a pod
  host=$1
  shift
  timeout 2 redis-cli -h "$host" -p "$SENTINEL_PORT" sentinel "$@" 2>/dev/null | head -n 1
}

[ "$(role)" = master ] || exit 0
agreed=
tries=0
while [ $((tries += 1)) -le 15 ]; do
  for peer in ${agreed:-$PEERS}; do
    [ "$peer" != "$SELF" ] || continue
    if [ "$(sentinel "$peer" get-master-addr-by-name mymaster)" != "$SELF" ]; then
      # It has done it; or it has just started, and has not heard yet who is master.
      [ -z "$agreed" ] || exit 0
      continue
    fi
    # Refused by one that has not looked at the replicas yet, and while it goes on.
    case $(sentinel "$peer" failover mymaster) in OK*) agreed=$peer && break ;; esac
  done
  sleep 1
done
