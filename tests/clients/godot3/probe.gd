extends SceneTree
# Loads everything that assetgen has published into this project and prints, as JSON, what Godot 3
# sees: each sprite's name, type, score and the SHA-256 of its pixels (RGBA8).

const GENERATED := "res://assets/generated"


func _init() -> void:
	var seen := {"version": Engine.get_version_info().string, "frames": {}, "regions": {}, "filter": {}}
	for type in list(GENERATED, true):
		var folder: String = GENERATED.plus_file(type)
		var frames: SpriteFrames = load("%s/%s_frames.tres" % [folder, type])
		seen.frames[type] = []
		for frame in frames.get_frame_count(type):
			seen.frames[type].append(sprite(frames.get_frame(type, frame)))
		for file in list(folder.plus_file("regions"), false):
			seen.regions[file] = sprite(load(folder.plus_file("regions").plus_file(file)))
		var sheet: Texture = load("%s/%s.png" % [folder, type])
		seen.filter[type] = sheet.flags & Texture.FLAG_FILTER != 0
	print("PROBE ", JSON.print(seen))
	quit()


func list(path: String, folders: bool) -> Array:
	var names := []
	var directory := Directory.new()
	if directory.open(path) != OK or directory.list_dir_begin(true, true) != OK:
		return names
	var name := directory.get_next()
	while name != "":
		if directory.current_is_dir() == folders and not "~" in name:
			names.append(name)
		name = directory.get_next()
	names.sort()
	return names


func sprite(texture: AtlasTexture) -> Dictionary:
	var image: Image = texture.atlas.get_data().get_rect(texture.region)
	image.convert(Image.FORMAT_RGBA8)
	var visible := Image.new()  # the importer changes colours under alpha 0
	visible.create(image.get_width(), image.get_height(), false, Image.FORMAT_RGBA8)
	visible.blit_rect_mask(image, image, Rect2(Vector2.ZERO, image.get_size()), Vector2.ZERO)
	var context := HashingContext.new()
	context.start(HashingContext.HASH_SHA256)
	context.update(visible.get_data())
	return {
		"name": texture.resource_name,
		"type": texture.get_meta("type"),
		"score": texture.get_meta("score"),
		"size": [texture.get_width(), texture.get_height()],
		"pixels": context.finish().hex_encode(),
	}
