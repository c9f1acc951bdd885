if not life_of_room then return false end
return snapshot({})
