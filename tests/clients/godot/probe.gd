extends Node2D
## Loads everything that assetgen has published into this project and prints, as JSON, what Godot
## sees: each sprite's name, type, score and the SHA-256 of its pixels (RGBA8). Then it draws three
## sprites, so that the screen can be compared as well, and uses the add-on.

const GENERATED := "res://assets/generated"
const Builder := preload("res://addons/assetgen/builder.gd")
const Command := preload("res://addons/assetgen/command.gd")
const Dock := preload("res://addons/assetgen/dock.gd")


func _ready() -> void:
	var seen := {
		"version": Engine.get_version_info().string, "frames": {}, "regions": {}, "tiles": {}
	}
	seen.shown = []
	for type in DirAccess.get_directories_at(GENERATED):
		var folder := GENERATED.path_join(type)
		var frames: SpriteFrames = load("%s/%s_frames.tres" % [folder, type])
		seen.frames[type] = _frames_of(frames, type)
		for file in DirAccess.get_files_at(folder.path_join("regions")):
			seen.regions[file] = _sprite(load(folder.path_join("regions").path_join(file)))
		var tile_set: TileSet = load("%s/%s_tileset.tres" % [folder, type])
		seen.tiles[type] = _tiles_of(tile_set)
		if seen.shown.is_empty() and frames.get_frame_count(type) > 2:
			seen.shown = [_show_frame(frames, type), _show_region(folder), _show_tile(tile_set)]
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
	seen.command = _read_pipe()
	seen.plugin = _use_plugin()
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


## Of what can be seen: an importer may change colours under alpha 0. Alpha is 0 or 255 here.
func _hash(image: Image) -> String:
	image.convert(Image.FORMAT_RGBA8)
	image.premultiply_alpha()
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
			for number_of in source.get_alternative_tiles_count(tile):
				var alternative := source.get_alternative_tile_id(tile, number_of)
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


func _show_frame(frames: SpriteFrames, type: String) -> String:
	var node := AnimatedSprite2D.new()
	node.sprite_frames = frames
	node.animation = type
	node.centered = false
	_show(node, 0)
	return frames.get_frame_texture(type, 0).resource_name


func _show_region(folder: String) -> String:
	var node := Sprite2D.new()
	var file := DirAccess.get_files_at(folder.path_join("regions"))[1]
	node.texture = load(folder.path_join("regions").path_join(file))
	node.centered = false
	_show(node, 1)
	return node.texture.resource_name


func _show_tile(tile_set: TileSet) -> String:
	var node := TileMapLayer.new()
	node.tile_set = tile_set
	var id := tile_set.get_source_id(0)
	node.set_cell(Vector2i.ZERO, id, tile_set.get_source(id).get_tile_id(1))
	_show(node, 2)
	return node.get_cell_tile_data(Vector2i.ZERO).get_custom_data("name")


func _show(node: Node2D, number: int) -> void:
	node.position = Vector2(8 + 200 * number, 8)
	add_child(node)


## A page can't start a program; a file stands in for the pipe that it would write to.
func _read_pipe() -> Dictionary:
	var command := Command.new()
	var told := []
	command.progressed.connect(
		func(what: String, done: int, total: int): told.append([what, done, total])
	)
	var rest := command._read(FileAccess.open("res://pipe.txt", FileAccess.READ))
	return {"progress": told, "rest": rest, "command": command}


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
	var generated := []
	dock.generated.connect(func() -> void: generated.append(true))
	var question: ConfirmationDialog = dock.find_children("*", "ConfirmationDialog", true, false)[1]
	dock._run = Command.new()
	dock._end('{"needs_yes": "12 published sprites would be replaced."}', "", dock._answer)
	seen.asked = question.dialog_text if question.visible else ""
	question.hide()
	var done := {"added": 5, "stay": 7, "out": "assets/generated"}
	dock._run = Command.new()
	dock._end(JSON.stringify(done), "a.tres was edited", dock._finish)
	seen.done = labels[0].text
	dock._run = Command.new()
	dock._end("", "assetgen: no such model", dock._finish)
	seen.failed = labels[0].text
	seen.generated = generated.size()
	return seen


## The plugin as the editor would run it, and its importer's work, loaded again.
func _use_plugin() -> Dictionary:
	var plugin: EditorPlugin = load("res://addons/assetgen/plugin.gd").new()
	add_child(plugin)
	var importer := plugin.importers[0]
	var types: OptionButton = plugin.find_children("*", "OptionButton", true, false)[0]
	var variants: Array[String] = []
	var seen := {
		"docks": plugin.get_children().map(func(child: Node) -> String: return child.name),
		"types": types.item_count,
		"extensions": importer._get_recognized_extensions(),
		"settings": EditorInterface.get_editor_settings().held,
		"imported": {},
		"refused":
		importer._import("res://broken/outside.assetgen", "user://no", {}, variants, variants),
	}
	var list := GENERATED.path_join("sprites.assetgen")
	seen.error = importer._import(list, "user://sprites", {}, variants, variants)
	var frames: SpriteFrames = load("user://sprites.res")
	for type in frames.get_animation_names():
		seen.imported[type] = _frames_of(frames, type)
	seen.type = frames.get_class() == importer._get_resource_type()
	remove_child(plugin)
	seen.left = plugin.importers.size() + plugin.get_child_count()
	plugin.free()
	return seen
