-- Everything, for a node that hosts the room.
return redis.call('HGETALL', state)
