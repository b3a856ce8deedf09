extends Node2D
## Loads everything that assetgen has published into this project and prints, as JSON, what Godot
## sees: each sprite's name, type, score and the SHA-256 of its pixels (RGBA8). Then it draws three
## sprites, so that the screen can be compared as well.

const GENERATED := "res://assets/generated"
const Builder := preload("res://addons/assetgen/builder.gd")
const Dock := preload("res://addons/assetgen/dock.gd")


func _ready() -> void:
	var seen := {
		"version": Engine.get_version_info().string, "frames": {}, "regions": {}, "tiles": {}
	}
	var shown: Array[Node2D] = []
	for type in DirAccess.get_directories_at(GENERATED):
		var folder := GENERATED.path_join(type)
		var frames: SpriteFrames = load("%s/%s_frames.tres" % [folder, type])
		seen.frames[type] = _frames_of(frames, type)
		for file in DirAccess.get_files_at(folder.path_join("regions")):
			seen.regions[file] = _sprite(load(folder.path_join("regions").path_join(file)))
		var tile_set: TileSet = load("%s/%s_tileset.tres" % [folder, type])
		seen.tiles[type] = _tiles_of(tile_set)
		if shown.is_empty():
			shown = [_from_frames(frames, type), _from_region(folder), _from_tile_set(tile_set)]
	var builder := Builder.new()
	var built := builder.build(GENERATED.path_join("sprites.assetgen"))
	seen.built_error = builder.error
	seen.built = {}
	for type in built.get_animation_names() if built else PackedStringArray():
		seen.built[type] = _frames_of(built, type)
	seen.broken = {}
	for file in DirAccess.get_files_at("res://broken"):
		var outcome := builder.build("res://broken".path_join(file))
		seen.broken[file] = "built" if outcome else builder.error
	seen.dock = _use_dock()
	for number in shown.size():
		add_child(shown[number])
		shown[number].position = Vector2(8 + 200 * number, 8)
	await RenderingServer.frame_post_draw
	await RenderingServer.frame_post_draw
	print("PROBE ", JSON.stringify(seen))


func _frames_of(frames: SpriteFrames, type: String) -> Array:
	var sprites := []
	for frame in frames.get_frame_count(type):
		sprites.append(_sprite(frames.get_frame_texture(type, frame)))
	return sprites


func _sprite(texture: AtlasTexture) -> Dictionary:
	return {
		"name": texture.resource_name,
		"type": texture.get_meta("type"),
		"score": texture.get_meta("score"),
		"size": [texture.get_width(), texture.get_height()],
		"pixels": _hash(texture.get_image()),
	}


func _hash(image: Image) -> String:
	image.convert(Image.FORMAT_RGBA8)
	var context := HashingContext.new()
	context.start(HashingContext.HASH_SHA256)
	context.update(image.get_data())
	return context.finish().hex_encode()


func _tiles_of(tile_set: TileSet) -> Array:
	var sprites := []
	for number in tile_set.get_source_count():
		var id := tile_set.get_source_id(number)
		var source: TileSetAtlasSource = tile_set.get_source(id)
		for index in source.get_tiles_count():
			var tile := source.get_tile_id(index)
			for alternative in source.get_alternative_tiles_count(tile):
				var data := source.get_tile_data(tile, alternative)
				var region := source.texture.get_image().get_region(
					source.get_tile_texture_region(tile)
				)
				(
					sprites
					. append(
						{
							"name": data.get_custom_data("name"),
							"type": data.get_custom_data("type"),
							"score": data.get_custom_data("score"),
							"size": [region.get_width(), region.get_height()],
							"pixels": _hash(region),
							"place": [id, tile.x, tile.y, alternative],
						}
					)
				)
	return sprites


func _from_frames(frames: SpriteFrames, type: String) -> Node2D:
	var node := AnimatedSprite2D.new()
	node.sprite_frames = frames
	node.animation = type
	node.frame = 0
	node.centered = false
	return node


func _from_region(folder: String) -> Node2D:
	var node := Sprite2D.new()
	var file := DirAccess.get_files_at(folder.path_join("regions"))[1]
	node.texture = load(folder.path_join("regions").path_join(file))
	node.centered = false
	return node


func _from_tile_set(tile_set: TileSet) -> Node2D:
	var node := TileMapLayer.new()
	node.tile_set = tile_set
	var id := tile_set.get_source_id(0)
	node.set_cell(Vector2i.ZERO, id, tile_set.get_source(id).get_tile_id(2))
	return node


## The dock shows the sprites of the list, and says what to do where the program can't be started:
## a page can't start any.
func _use_dock() -> Dictionary:
	var dock := Dock.new()
	dock.project = "/games/my game"
	dock.position = Vector2(8, 140)
	dock.size = Vector2(620, 330)
	add_child(dock)
	dock.show_lists([GENERATED.path_join("sprites.assetgen")])
	var types: OptionButton = dock.find_children("*", "OptionButton", true, false)[0]
	var wall: ItemList = dock.find_children("*", "ItemList", true, false)[0]
	var seen := {"types": [], "tooltips": [], "arguments": dock.arguments()}
	for index in types.item_count:
		types.select(index)
		types.item_selected.emit(index)
		seen.types.append(types.get_item_text(index))
		for item in wall.item_count:
			seen.tooltips.append(wall.get_item_tooltip(item))
	var fields := dock.find_children("*", "LineEdit", true, false)
	fields[0].text = "7"
	fields[1].text = " dragon=3,undead=4 "
	seen.filled = dock.arguments(["--yes"])
	var dialog: ConfirmationDialog = dock.find_children("*", "ConfirmationDialog", true, false)[0]
	dialog.confirmed.emit()
	var labels := dock.find_children("*", "Label", false, false)
	seen.status = labels[0].text
	return seen
