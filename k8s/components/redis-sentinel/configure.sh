#!/bin/sh
# Writes what this pod's Redis and Sentinel start from. Who is master, the Sentinels that run know better than any file.
#   PEERS  all pods by name, the first of which is master in the beginning; SELF  this one
set -eu
: "${DATA:=/data}" "${SECRETS:=/run/secrets/redis}" "${PORT:=6379}" "${SENTINEL_PORT:=26379}" "${DOWN_AFTER_MS:=5000}"
umask 077

find_master() {
  # Of several answers the one that most give: a Sentinel that has just started may be wrong.
  found=$(for peer in $PEERS; do
    timeout 2 redis-cli -h "$peer" -p "$SENTINEL_PORT" sentinel get-master-addr-by-name mymaster 2>/dev/null | head -n 1
  done | grep -E '^[A-Za-z0-9.-]+$' | sort | uniq -c | sort -rn | sed -n '1s/^ *[0-9]* //p')
  if [ -n "$found" ]; then echo "$found"; return; fi
  # Nobody answers, so all begin at once: with the master that there was, if there was one.
  known=$(sed -n 's/^sentinel monitor mymaster \([^ ]*\) .*/\1/p' "$DATA/sentinel.conf" 2>/dev/null) || known=
  echo "${known:-${PEERS%% *}}"
}

master=$(find_master)
echo "the master is $master, this is $SELF"

# Written anew each time: Sentinel changes this file while it runs, and it is stale after a failover.
cat >"$DATA/redis.conf" <<END
bind ${BIND:-* -::*}
port $PORT
protected-mode no
dir $DATA
aclfile $SECRETS/users.acl
appendonly yes
appendfsync everysec
save ""
maxmemory ${MAXMEMORY:-512mb}
maxmemory-policy noeviction
client-output-buffer-limit pubsub 32mb 8mb 60
replica-announce-ip $SELF
# A replica that has come back counts at once; the data are small.
repl-diskless-sync-delay 0
# A master that is cut off from both replicas takes no writes, while the others choose another.
min-replicas-to-write 1
min-replicas-max-lag 5
END
cat "$SECRETS/replication.conf" >>"$DATA/redis.conf"
[ "$master" = "$SELF" ] || echo "replicaof $master $PORT" >>"$DATA/redis.conf"

# Sentinel's own memory, its epochs and whom it knows, stays; the password is the Secret's.
if [ ! -s "$DATA/sentinel.conf" ]; then
  cat >"$DATA/sentinel.conf" <<END
bind ${BIND:-* -::*}
port $SENTINEL_PORT
dir $DATA
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $SELF
sentinel monitor mymaster $master $PORT 2
sentinel down-after-milliseconds mymaster $DOWN_AFTER_MS
sentinel failover-timeout mymaster 10000
sentinel parallel-syncs mymaster 1
END
fi
grep -v '^sentinel auth-' "$DATA/sentinel.conf" >"$DATA/sentinel.conf.new"
cat "$SECRETS/sentinel_auth.conf" >>"$DATA/sentinel.conf.new"
mv "$DATA/sentinel.conf.new" "$DATA/sentinel.conf"

# Sentinel does not start while it cannot look its master up, and a pod has a name only once it has an address.
tries=0
until getent ahosts "$master" >/dev/null || [ $((tries += 1)) -gt 60 ]; do sleep 1; done
