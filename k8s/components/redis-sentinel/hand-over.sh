#!/bin/sh
# Before this pod's Redis is stopped in order: if it is the master, another becomes it first.
#   PEERS  all pods by name; SELF  this one
for peer in $PEERS; do
  [ "$peer" != "$SELF" ] || continue
  sentinel() { timeout 2 redis-cli -h "$peer" -p 26379 sentinel "$@" 2>/dev/null | head -n 1; }
  master=$(sentinel get-master-addr-by-name mymaster)
  [ -n "$master" ] || continue
  [ "$master" = "$SELF" ] || exit 0
  sentinel failover mymaster
  tries=0
  while [ "$(sentinel get-master-addr-by-name mymaster)" = "$SELF" ] && [ $((tries += 1)) -le 15 ]; do sleep 1; done
  exit 0
done
